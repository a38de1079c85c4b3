// The line above a list: a search box and whatever else narrows it. What is chosen stands in the
// address, so that going back, and keeping a link, bring it back.

const TYPES_SEEN = [["", "Everything"], ["movie", "Films"], ["episode", "Episodes"]];
const RATED = [["", "Any"], ["rated", "Rated"], ["none", "Not rated"],
  ...Array.from({ length: 10 }, (_, place) => [String(10 - place), `★ ${10 - place}`])];

const yearChoices = (years) => [["", "All years"],
  ...[...new Set(years)].sort((a, b) => (b === UNKNOWN ? -1 : a === UNKNOWN ? 1 : b - a))
    .map((year) => [String(year), year === UNKNOWN ? "Unknown date" : String(year)])];

const fits = {
  type: (title, wanted) => !wanted || title.type === wanted,
  rating: (title, wanted) => !wanted || (wanted === "none" ? title.rating == null
    : wanted === "rated" ? title.rating != null : title.rating === Number(wanted)),
};

// `fields` say what there is to choose; `changed` is called with the choice, at once.
function filterBar(params, fields, changed) {
  const take = () => {
    for (const control of form.elements) {
      const value = control.type === "checkbox" ? (control.checked ? "1" : "") : control.value;
      if (!control.name) continue;
      if (value && value !== control.dataset.usual) params.set(control.name, value);
      else params.delete(control.name);
    }
    changed(params);
  };
  const controls = fields.map((field) => control(field, params));
  if (fields.length > 1) controls.splice(1, 0, unfolding(params));
  const form = el("form", { class: "filters", role: "search", oninput: take,
    onsubmit: (event) => event.preventDefault() }, controls);
  form.classList.toggle("unfolded", fields.length < 2 || narrowed(params));
  return form;
}

const narrowed = (params) => [...params.keys()].some((name) => name !== "q" && name !== "of");

// Small screens show the search box, and the rest when asked for.
function unfolding(params) {
  const button = el("button", { class: "unfold", type: "button", "aria-expanded": String(narrowed(params)) }, "Filters");
  button.addEventListener("click", () => {
    const open = button.form.classList.toggle("unfolded");
    button.setAttribute("aria-expanded", String(open));
  });
  return button;
}

function control({ name, label, choices, hint }, params) {
  const value = params.get(name) ?? "";
  if (choices) {
    const usual = choices[0][0];
    return el("label", {}, label, el("select", { name, "data-usual": usual },
      choices.map(([key, text]) => el("option", { value: key, selected: key === (value || usual) }, text))));
  }
  if (hint) {
    return el("label", { class: "search" }, label,
      el("input", { type: "search", name, value, placeholder: hint, autocomplete: "off", spellcheck: "false" }));
  }
  return el("label", { class: "tick" }, el("input", { type: "checkbox", name, checked: value === "1" }), label);
}

const SEARCH = { name: "q", label: "Search", hint: "A title, a show, an episode" };
const TYPE = { name: "type", label: "Type", choices: TYPES_SEEN };
const RATING = { name: "rating", label: "Rating", choices: RATED };
const AGAIN = { name: "again", label: "Watched again" };
const sorting = (...choices) => ({ name: "sort", label: "Sorted by", choices });

const collator = new Intl.Collator("en", { numeric: true, sensitivity: "base" });
const byName = (a, b) => collator.compare(lines(a)[0], lines(b)[0])
  || (a.season ?? 0) - (b.season ?? 0) || (a.number ?? 0) - (b.number ?? 0);
const down = (value) => (a, b) => (value(b) ?? -1e15) - (value(a) ?? -1e15) || byName(a, b);
const up = (value) => (a, b) => (value(a) ?? 1e15) - (value(b) ?? 1e15) || byName(a, b);
const known = (value) => Number.isNaN(value) ? null : value;
