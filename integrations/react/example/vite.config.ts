import { defineConfig } from "vite";

// The package that was built, by its name, as any other page would take it.
const dist = new URL("../dist/", import.meta.url).pathname;

export default defineConfig({
  base: "./",
  esbuild: { jsx: "automatic" },
  resolve: {
    alias: [
      { find: "watchbook-last-react/style.css", replacement: `${dist}style.css` },
      { find: "watchbook-last-react", replacement: `${dist}index.js` },
    ],
  },
});
