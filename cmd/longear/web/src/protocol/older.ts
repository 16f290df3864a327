// What the libraries use and browsers of early 2022 lack (Chrome before 93, Safari before 15.4). The build
// puts this before every other module: the libraries look for it as soon as they are loaded.

const object = Object as { hasOwn?: (of: object, name: PropertyKey) => boolean };
object.hasOwn ??= (of, name) => Object.prototype.hasOwnProperty.call(of, name);
