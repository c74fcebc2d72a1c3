const filter = document.getElementById("filter");
if (filter) {
  const wanted = document.getElementById("wanted");
  const tier = document.getElementById("tier");
  const showing = document.getElementById("showing");
  const candidates = [...document.querySelectorAll(".candidate")].map(
    (element) => ({ element, tier: element.dataset.tier, text: element.textContent.toLowerCase() }));
  const show = () => {
    const words = wanted.value.toLowerCase().split(/\s+/).filter(Boolean);
    let shown = 0;
    for (const candidate of candidates) {
      const fits = (!tier.value || candidate.tier === tier.value)
        && words.every((word) => candidate.text.includes(word));
      candidate.element.hidden = !fits;
      shown += fits;
    }
    showing.textContent = `Showing ${shown} of ${candidates.length} on this page`;
  };
  filter.hidden = false;
  wanted.addEventListener("input", show);
  tier.addEventListener("change", show);
  show();
  for (const id of document.querySelectorAll("code.id")) {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "copy";
    button.textContent = "Copy";
    button.setAttribute("aria-label", `Copy candidate id ${id.textContent}`);
    button.addEventListener("click", async () => {
      try {
        await navigator.clipboard.writeText(id.textContent);
        button.textContent = "Copied";
      } catch {
        getSelection().selectAllChildren(id);
        button.textContent = "Selected: press Ctrl+C";
      }
      setTimeout(() => { button.textContent = "Copy"; }, 3000);
    });
    id.after(button);
  }
}
