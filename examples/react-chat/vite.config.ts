import { defineConfig } from "vite";

export default defineConfig({
  base: "./",
  // The client is a link into this repository; with a package from the registry this
  // line is not needed.
  resolve: { preserveSymlinks: true, dedupe: ["react"] },
  server: { proxy: { "/socket.io": { target: "http://localhost:3000", ws: true } } },
});
