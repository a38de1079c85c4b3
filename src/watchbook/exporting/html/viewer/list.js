// A list of any length of which only the rows in sight exist. It scrolls with the page.

const BEYOND = 400; // pixels above and below what is in sight
const PRINTED = 2000; // rows that paper gets
let shown = []; // the lists on this page

// `isHead(i)` tells the few tall rows; `build(i)` makes the inside of a row;
// `atTop(i)` is told which row is the first in sight.
function rowList(label, count, { isHead = () => false, build, atTop = () => {} }) {
  const cut = count > PRINTED ? `These are the first ${number(PRINTED)} of ${number(count)} lines.` : null;
  const node = el("ul", { class: "rows", role: "list", "aria-label": label, "data-cut": cut });
  const starts = new Float64Array(count + 1);

  function measure() {
    const rem = parseFloat(getComputedStyle(document.documentElement).fontSize);
    const usual = Math.round(rem * (narrow.matches ? 3.9 : 3.5));
    const heading = Math.round(rem * 3.2);
    for (let i = 0; i < count; i++) starts[i + 1] = starts[i] + (isHead(i) ? heading : usual);
    node.style.height = `${starts[count]}px`;
    node.replaceChildren();
    draw();
  }

  function rowAt(offset) {
    let low = 0;
    let high = count;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (starts[middle + 1] <= offset) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  function draw() {
    const top = -node.getBoundingClientRect().top;
    fill(rowAt(top - BEYOND), Math.min(count, rowAt(top + innerHeight + BEYOND) + 1));
    if (count) atTop(Math.min(count - 1, rowAt(top + 60)));
  }

  // Rows stay in their order, for those who walk with Tab; the row they are in stays too.
  function fill(from, to) {
    for (const child of [...node.children]) {
      const inside = child.place >= from && child.place < to;
      if (!inside && !child.contains(document.activeElement)) child.remove();
    }
    let next = node.firstElementChild;
    for (let i = from; i < to; i++) {
      while (next && next.place < i) next = next.nextElementSibling;
      if (!next || next.place !== i) next = node.insertBefore(make(i), next);
      next = next.nextElementSibling;
    }
  }

  function make(i) {
    const item = el("li", { "aria-posinset": i + 1, "aria-setsize": count }, build(i));
    item.place = i;
    item.style.top = `${starts[i]}px`;
    item.style.height = `${starts[i + 1] - starts[i]}px`;
    return item;
  }

  shown.push({ measure, draw, print: () => fill(0, Math.min(count, PRINTED)) });
  return node;
}

let waiting = false;
function drawSoon() {
  if (waiting) return;
  waiting = true;
  requestAnimationFrame(() => {
    waiting = false;
    for (const list of shown) list.draw();
  });
}

addEventListener("scroll", drawSoon, { passive: true });
addEventListener("resize", drawSoon);
narrow.addEventListener("change", () => shown.forEach((list) => list.measure()));
addEventListener("beforeprint", () => shown.forEach((list) => list.print()));
addEventListener("afterprint", () => shown.forEach((list) => list.draw()));
