import compression from "./compression.mjs";
import endings from "./endings.mjs";
import events from "./events.mjs";
import namespaces from "./namespaces.mjs";
import revision3 from "./revision3.mjs";
import rooms from "./rooms.mjs";
import upgrades from "./upgrades.mjs";

export const scenarios = [...events, ...endings, ...namespaces, ...rooms, ...revision3, ...upgrades, ...compression];

const names = scenarios.map((s) => s.name);
for (const name of names) {
  if (names.indexOf(name) !== names.lastIndexOf(name)) throw new Error(`two scenarios are called "${name}"`);
}
