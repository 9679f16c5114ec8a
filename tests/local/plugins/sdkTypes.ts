import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import ts from "typescript";
import type { Field, Fields, Shape } from "../../../local/plugins/specification.ts";

const require = createRequire(import.meta.url);

/**
 * The types that an SDK's declarations give to inputs and outputs, in the form of a stand-in's specification. Read from the syntax
 * alone: the SDKs are generated and use few forms.
 */
export class SdkTypes {
  readonly #root: string;
  readonly #files = new Map<string, ts.SourceFile>();

  constructor(packageName: string) {
    this.#root = dirname(require.resolve(`${packageName}/package.json`));
  }

  /** The fields of an interface, or of a class's readonly properties, in a file of the SDK. */
  fields(file: string, name: string): Fields {
    return this.#fieldsOf(this.#declaration(file, [name]));
  }

  #fieldsOf(declaration: ts.Declaration): Fields {
    if (!ts.isInterfaceDeclaration(declaration) && !ts.isClassDeclaration(declaration)) {
      throw new Error(`expected an interface or a class, got ${declaration.getText().slice(0, 60)}`);
    }
    const fields: Fields = {};
    for (const member of declaration.members) {
      if (!ts.isPropertySignature(member) && !ts.isPropertyDeclaration(member)) continue;
      if (member.type === undefined || (ts.getCombinedModifierFlags(member) & ts.ModifierFlags.Static) !== 0) continue;
      const field: Field = this.#shape(member.type);
      if (member.questionToken === undefined) field.required = true;
      fields[member.name.getText()] = field;
    }
    return fields;
  }

  #shape(node: ts.TypeNode): Shape {
    if (ts.isParenthesizedTypeNode(node)) return this.#shape(node.type);
    if (ts.isArrayTypeNode(node)) return { type: "list", of: this.#shape(node.elementType) };
    if (ts.isUnionTypeNode(node)) {
      const rest = node.types.filter(({ kind }) => kind !== ts.SyntaxKind.UndefinedKeyword);
      return rest.length === 1 && rest[0] !== undefined ? this.#shape(rest[0]) : { type: "any" };
    }
    if (ts.isTypeLiteralNode(node)) {
      const [index] = node.members;
      if (index !== undefined && ts.isIndexSignatureDeclaration(index))
        return { type: "map", of: this.#shape(index.type) };
    }
    if (ts.isTypeReferenceNode(node)) return this.#reference(node);
    const keywords: Partial<Record<ts.SyntaxKind, Shape>> = {
      [ts.SyntaxKind.StringKeyword]: { type: "string" },
      [ts.SyntaxKind.NumberKeyword]: { type: "number" },
      [ts.SyntaxKind.BooleanKeyword]: { type: "boolean" },
      [ts.SyntaxKind.AnyKeyword]: { type: "any" },
    };
    const shape = keywords[node.kind];
    if (shape === undefined) throw new Error(`a form of type this test doesn't know: ${node.getText()}`);
    return shape;
  }

  #reference(node: ts.TypeReferenceNode): Shape {
    const path = node.typeName.getText().split(".");
    const [head = "", ...rest] = path;
    const [argument] = node.typeArguments ?? [];
    if (head === "pulumi" && argument !== undefined) return this.#shape(argument);
    if (head === "pulumi") return { type: "any" };
    if (head === "inputs")
      return { type: "object", fields: this.#fieldsOf(this.#declaration("types/input.d.ts", rest)) };
    if (head === "outputs")
      return { type: "object", fields: this.#fieldsOf(this.#declaration("types/output.d.ts", rest)) };
    if (head === "enums") return { type: "string", values: this.#enumValues(rest.join(".")) };
    throw new Error(`a name of type this test doesn't know: ${path.join(".")}`);
  }

  /** A generated enum is a constant object of strings. */
  #enumValues(name: string): string[] {
    const text = this.#file("types/enums/index.d.ts").text;
    const body = new RegExp(`const ${name}: \\{([^}]*)\\}`).exec(text)?.[1] ?? "";
    return [...body.matchAll(/: "([^"]*)"/g)].map(([, value]) => value as string);
  }

  #declaration(file: string, path: readonly string[]): ts.Declaration {
    let statements: readonly ts.Statement[] = this.#file(file).statements;
    for (const name of path) {
      const found: ts.Statement | undefined = statements.find(
        (statement) => (statement as unknown as { name?: ts.Identifier }).name?.text === name,
      );
      if (found === undefined) throw new Error(`${this.#root}/${file} declares no ${path.join(".")}`);
      if (!ts.isModuleDeclaration(found)) return found as unknown as ts.Declaration;
      statements = (found.body as ts.ModuleBlock).statements;
    }
    throw new Error(`${path.join(".")} in ${file} is a namespace`);
  }

  #file(file: string): ts.SourceFile {
    const parsed = this.#files.get(file) ?? parse(join(this.#root, file));
    this.#files.set(file, parsed);
    return parsed;
  }
}

function parse(file: string): ts.SourceFile {
  return ts.createSourceFile(file, readFileSync(file, "utf8"), ts.ScriptTarget.Latest, true);
}
