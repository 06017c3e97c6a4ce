import type { Manager } from "./manager";
export declare const watch: (manager: Manager) => ((on?: boolean) => void);
