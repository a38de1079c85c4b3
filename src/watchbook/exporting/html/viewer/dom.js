// Building the page. Texts only ever become text nodes, so no title can be anything else.

const SVG = "http://www.w3.org/2000/svg";

function el(name, attributes = {}, ...children) {
  return filled(document.createElement(name), attributes, children);
}

function svg(name, attributes = {}, ...children) {
  return filled(document.createElementNS(SVG, name), attributes, children);
}

function filled(node, attributes, children) {
  for (const [key, value] of Object.entries(attributes)) {
    if (key.startsWith("on")) node.addEventListener(key.slice(2), value);
    else if (value === true) node.setAttribute(key, "");
    else if (value !== false && value != null) node.setAttribute(key, value);
  }
  node.append(...children.flat().filter((child) => child != null && child !== false));
  return node;
}

const DRAWINGS = {
  movie: "M3 5h18v14H3zM7.5 5v14M16.5 5v14M3 9.7h4.5M3 14.3h4.5M16.5 9.7H21M16.5 14.3H21",
  show: "M3 8h18v11H3zM8 3.5l4 4.2 4-4.2",
};

function mark(title) {
  const shape = title.type === "movie" ? DRAWINGS.movie : DRAWINGS.show;
  return svg("svg", { class: `mark ${title.type}`, viewBox: "0 0 24 24", "aria-hidden": "true" },
    svg("path", { d: shape, fill: "none", stroke: "currentColor", "stroke-width": 1.8, "stroke-linejoin": "round" }));
}

// For eyes a sign, for ears the words behind it.
function sign(name, seen, said) {
  return el("span", { class: name },
    el("span", { "aria-hidden": "true" }, seen), el("span", { class: "hidden-label" }, ` ${said} `));
}

const star = (rating) => rating == null ? null : sign("star", `★ ${rating}`, `rated ${rating} of 10`);

function row(title, { left = null, second = null, figures = [] }) {
  const [first, usual] = lines(title);
  return el("a", { class: "row", href: addressOf(title) },
    left ?? mark(title),
    el("span", { class: "main" },
      el("span", { class: "first", dir: "auto" }, first), " ",
      el("span", { class: "second", dir: "auto" }, second ?? usual)),
    el("span", { class: "figures" }, figures.filter(Boolean).flatMap((figure) => [figure, " "])));
}

const head = (text, more) => el("div", { class: "head" }, el("h3", {}, text), el("span", {}, more));

function outward(text, address) {
  return el("a", { href: address, target: "_blank", rel: "noopener noreferrer" }, text);
}
