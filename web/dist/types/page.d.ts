import { type env } from "./env";
export declare const watch: typeof env._watch;
