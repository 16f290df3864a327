// What the build makes of a style sheet: the address of its file.
declare module "*.css" {
  const address: string;
  export default address;
}

// The texts of a language that the first drawing does without: build.mjs.
declare module "*.json?later" {
  const texts: Readonly<Record<string, string>>;
  export default texts;
}
