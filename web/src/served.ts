// What the server hands out as a module: without what only programs need that
// are bundled, and can leave out what they do not.
export * from "./core";
export { io as default } from "./core";
