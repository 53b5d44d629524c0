/** What a module imports from beside it, however it is written: specifiers that begin with a dot. */
export function importsIn(source: string): string[] {
  const code = source.replaceAll(/^\s*(?:\/\/|\*|\/\*).*$/gm, "");
  const forms = /(?:\bfrom|\bimport|\b(?:import|require|resolve|URL)\s*\()\s*(["'`])(\.{1,2}\/[^"'`]+)\1/g;
  return [...code.matchAll(forms)].map(([, , specifier = ""]) => specifier);
}
