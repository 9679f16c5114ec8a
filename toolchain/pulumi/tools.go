//go:build tools

// Package tools keeps the requirement on the Pulumi engine in go.mod.
package tools

import _ "github.com/pulumi/pulumi/pkg/v3/cmd/pulumi"
