export * from "./core";
export { io as default } from "./core";
