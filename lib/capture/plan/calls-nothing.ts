/** The beginning of an arrow function, a function or a method, up to and with its parameters. */
const HEAD = /^(?:function\b)?\s*[\p{ID_Continue}$]*\s*(?:\(([^()]*)\))?\s*(?:=>)?/u;

/**
 * What calls something, or may: a parenthesis behind anything but an operator; a template, which may have a tag; a slash, which
 * may be a comment that hides it.
 */
const MAY_CALL = /[^\s=>,:([{+*?&|!<;-]\s*\(|[`/]|\b(?:new|await|yield|import|native code)\b/;

/**
 * Tells by its text that a function calls nothing, such as `({ id, title }) => ({ id, title })`. What it does is over when it
 * returns. Getters of the row do not count.
 */
export function callsNothing(tested: Function): boolean {
  const text = Function.prototype.toString.call(tested);
  return !MAY_CALL.test(text.replace(HEAD, '$1 => '));
}
