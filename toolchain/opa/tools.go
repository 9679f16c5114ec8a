//go:build tools

// Package tools keeps the requirement on OPA in go.mod.
package tools

import _ "github.com/open-policy-agent/opa"
