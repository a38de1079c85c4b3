"""Cards: pictures of what was watched, drawn as SVG, for front pages and profiles."""
