import { defineConfig } from "vite";

// Bundlers drop directives of modules, and Next.js has to see this one.
const banner = '"use client";';

export default defineConfig({
  build: {
    emptyOutDir: false, // the types are there already
    lib: { entry: "src/index.ts", formats: ["es"], fileName: "index", cssFileName: "style" },
    rollupOptions: { external: [/^react/], output: { banner } },
  },
});
