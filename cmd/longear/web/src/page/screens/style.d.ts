// What the build makes of a style sheet: the address of its file.
declare module "*.css" {
  const address: string;
  export default address;
}
