// What a script tag or require() gets: the function itself.
export { default } from "./index";
