/**
 * What the program can say, found in its source: the texts of errors, of log and console lines, of problems and summaries. A value that is only known
 * when it runs stands as `HOLE`.
 */
import path from "node:path";
import ts from "typescript";

/** Stands for a value in a text. */
export const HOLE = "\u0000";

export interface Message {
  text: string;
  /** file:line, for who has to look it up. */
  where: string;
}

/** Members and variables whose value is shown to a reader. */
const SHOWN = /^(summary|problem|failures?|message|fix|found|error|reasons?|why|hint|next|silent|stop|what)$/;
/** Functions that return what is shown. */
const TELLERS =
  /^(describe\w*|\w*[pP]roblems?|undeclaredAccess|overBudget|inconclusive|checkServed|broken|skipped|pending)$/;
/** Lists that are shown line by line. */
const LISTS = /^(problems|warnings|notes|found|lines|findings|missing)$/;
const PRINTERS =
  /^(console\.(log|error|warn)|(pulumi\.)?log\.(warn|info|error)|process\.std(out|err)\.write|report|note|say|fail)$/;

/** The messages of these files, each text once. @param root directory that `where` starts from */
export function messagesOf(files: string[], root: string): Message[] {
  const options: ts.CompilerOptions = { allowImportingTsExtensions: true, noEmit: true, noLib: true, types: [] };
  const host = ts.createCompilerHost(options, true);
  // Only this project's own files: reading the types of its dependencies would take most of the time.
  host.resolveModuleNameLiterals = (names, from) =>
    names.map(({ text }) => {
      const resolvedFileName = path.resolve(path.dirname(from), text);
      const own = text.startsWith(".") && text.endsWith(".ts");
      return { resolvedModule: own ? { resolvedFileName, extension: ts.Extension.Ts } : undefined };
    });
  const program = ts.createProgram(files, options, host);
  const collector = new Collector(program.getTypeChecker());
  const found = new Map<string, Message>();
  for (const file of files) {
    const source = program.getSourceFile(file);
    if (source === undefined) throw new Error(`${file} can't be parsed`);
    for (const { text, node } of collector.collect(source)) {
      const from = node.getSourceFile();
      const line = from.getLineAndCharacterOfPosition(node.getStart()).line + 1;
      if (isSentence(text) && !found.has(text))
        found.set(text, { text, where: `${path.relative(root, from.fileName)}:${line}` });
    }
  }
  return [...found.values()];
}

/** Two words at least that are not values: a name, a flag or a separator is no message. */
function isSentence(text: string): boolean {
  return (text.match(/[A-Za-z']{2,}/g) ?? []).length >= 2 && /[a-z] /.test(text);
}

interface Text {
  text: string;
  node: ts.Node;
}

class Collector {
  readonly #checker: ts.TypeChecker;

  constructor(checker: ts.TypeChecker) {
    this.#checker = checker;
  }

  collect(source: ts.SourceFile): Text[] {
    const found: Text[] = [];
    const visit = (node: ts.Node): void => {
      for (const shown of this.#shownBy(node)) found.push(...this.#texts(shown, 0));
      ts.forEachChild(node, visit);
    };
    visit(source);
    return found;
  }

  /** The expressions that this node shows to a reader. */
  #shownBy(node: ts.Node): readonly ts.Expression[] {
    if (ts.isNewExpression(node) && /(Error|Problem)$/.test(node.expression.getText())) return node.arguments ?? [];
    if (ts.isCallExpression(node)) {
      const called = node.expression.getText();
      if (PRINTERS.test(called)) return node.arguments;
      const list = /^([\w.]+)\.push$/.exec(called)?.[1]?.split(".").at(-1) ?? "";
      return LISTS.test(list) ? node.arguments : [];
    }
    if (ts.isPropertyAssignment(node) && SHOWN.test(node.name.getText())) return [node.initializer];
    if (ts.isVariableDeclaration(node) && SHOWN.test(node.name.getText()))
      return node.initializer === undefined ? [] : [node.initializer];
    if (ts.isFunctionDeclaration(node) && TELLERS.test(node.name?.text ?? "")) return returnedBy(node);
    return [];
  }

  /** The texts that an expression can be: all branches, of the functions it calls too. */
  #texts(node: ts.Expression, depth: number): Text[] {
    const inside = (inner: ts.Expression) => this.#texts(inner, depth);
    if (ts.isStringLiteralLike(node)) return [{ text: node.text, node }];
    if (ts.isTemplateExpression(node)) {
      const text = node.templateSpans.reduce((before, span) => `${before}${HOLE}${span.literal.text}`, node.head.text);
      // What fills the holes is part of this message; it is one of its own where the rest says nothing.
      return isSentence(text) ? [{ text, node }] : node.templateSpans.flatMap((span) => inside(span.expression));
    }
    if (ts.isBinaryExpression(node)) return this.#ofBinary(node, depth);
    if (ts.isConditionalExpression(node)) return [...inside(node.whenTrue), ...inside(node.whenFalse)];
    if (ts.isParenthesizedExpression(node) || ts.isAsExpression(node) || ts.isAwaitExpression(node))
      return inside(node.expression);
    if (ts.isSpreadElement(node)) return inside(node.expression);
    if (ts.isArrayLiteralExpression(node)) return node.elements.flatMap(inside);
    if (ts.isElementAccessExpression(node)) return inside(node.expression);
    if (ts.isObjectLiteralExpression(node)) {
      return node.properties.flatMap((property) =>
        ts.isPropertyAssignment(property) ? inside(property.initializer) : [],
      );
    }
    if (ts.isArrowFunction(node)) return returnedBy(node).flatMap(inside);
    if (ts.isIdentifier(node)) return this.#initial(node, depth);
    if (ts.isCallExpression(node)) return this.#ofCall(node, depth);
    return [];
  }

  /** Texts that are put together are one; of `a ?? b` either. */
  #ofBinary(node: ts.BinaryExpression, depth: number): Text[] {
    const left = this.#texts(node.left, depth);
    const right = this.#texts(node.right, depth);
    if (node.operatorToken.kind !== ts.SyntaxKind.PlusToken) return [...left, ...right];
    const [first, second] = [left[0]?.text ?? HOLE, right[0]?.text ?? HOLE];
    return [{ text: first + second, node }, ...left.slice(1), ...right.slice(1)];
  }

  #ofCall(node: ts.CallExpression, depth: number): Text[] {
    const called = node.expression;
    if (
      ts.isPropertyAccessExpression(called) &&
      called.name.text === "join" &&
      ts.isArrayLiteralExpression(called.expression)
    ) {
      const lines = called.expression.elements.map((element) => this.#texts(element, depth)[0]?.text ?? HOLE);
      return [{ text: lines.join("\n"), node }];
    }
    // list.map((x) => text), [a, b].join("\n"), text.replace(…)
    const own = [
      ...(ts.isPropertyAccessExpression(called) ? this.#texts(called.expression, depth) : []),
      ...node.arguments.filter(ts.isArrowFunction).flatMap((each) => this.#texts(each, depth)),
    ];
    if (depth >= 3) return own;
    const declaration = this.#declaration(called);
    if (declaration === undefined || !ts.isFunctionLike(declaration)) return own;
    return [...own, ...returnedBy(declaration).flatMap((returned) => this.#texts(returned, depth + 1))];
  }

  #initial(node: ts.Identifier, depth: number): Text[] {
    if (depth >= 3) return [];
    const declaration = this.#declaration(node);
    if (declaration === undefined || !ts.isVariableDeclaration(declaration) || declaration.initializer === undefined)
      return [];
    return this.#texts(declaration.initializer, depth + 1);
  }

  #declaration(node: ts.Node): ts.Declaration | undefined {
    let symbol = this.#checker.getSymbolAtLocation(node);
    if (symbol !== undefined && symbol.flags & ts.SymbolFlags.Alias) symbol = this.#checker.getAliasedSymbol(symbol);
    const declaration = symbol?.declarations?.[0];
    return declaration?.getSourceFile().fileName.includes("node_modules") ? undefined : declaration;
  }
}

/** What a function returns, its inner functions apart. */
function returnedBy(declaration: ts.SignatureDeclaration): ts.Expression[] {
  const { body } = declaration as ts.FunctionLikeDeclaration;
  if (body === undefined) return [];
  if (!ts.isBlock(body)) return [body];
  const found: ts.Expression[] = [];
  const visit = (node: ts.Node): void => {
    if (ts.isFunctionLike(node)) return;
    if (ts.isReturnStatement(node) && node.expression !== undefined) found.push(node.expression);
    ts.forEachChild(node, visit);
  };
  visit(body);
  return found;
}
