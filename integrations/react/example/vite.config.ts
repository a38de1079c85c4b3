import vue from "@vitejs/plugin-vue";
import { defineConfig } from "vite";

// The package that was built, by its name, as any other page would take it.
const dist = new URL("../dist/", import.meta.url).pathname;
const page = (name: string) => new URL(name, import.meta.url).pathname;

export default defineConfig({
  base: "./",
  esbuild: { jsx: "automatic" },
  build: { rollupOptions: { input: ["index.html", "element.html", "vue.html"].map(page) } },
  plugins: [vue({ template: { compilerOptions: { isCustomElement: (tag) => tag === "watchbook-last" } } })],
  resolve: {
    alias: [
      { find: "watchbook-last-react/style.css", replacement: `${dist}style.css` },
      { find: "watchbook-last-react", replacement: `${dist}index.js` },
    ],
  },
});
