// The page follows the slider: what it said then is fetched and put in its place. Without this file, "Go there" does it.
"use strict";

(() => {
  const bar = document.querySelector("[data-time-bar]");
  if (!bar) return;
  const slider = bar.elements.position;
  let wanted = slider.value;
  let shown = slider.value;
  let busy = false;
  bar.classList.add("time-moves");

  function addressOf(position) {
    return `${bar.action}?${new URLSearchParams({ position, page: bar.elements.page.value })}`;
  }

  // One request at a time; what the slider passed in the meantime is skipped.
  async function follow() {
    if (busy) return;
    busy = true;
    while (shown !== wanted) {
      const position = wanted;
      try {
        const answer = await fetch(addressOf(position));
        show(new DOMParser().parseFromString(await answer.text(), "text/html"), answer.url);
      } catch {
        location.assign(addressOf(position)); // the browser says what is wrong
      }
      shown = position;
    }
    busy = false;
  }

  function show(page, address) {
    const then = page.querySelector("[data-time-then]");
    if (!then) return location.assign(address);
    document.querySelector("#content").replaceWith(page.querySelector("#content"));
    bar.querySelector("[data-time-then]").replaceWith(then);
    document.querySelector(".top").replaceWith(page.querySelector(".top"));
    document.title = page.title;
    history.replaceState(null, "", address);
  }

  function move(position) {
    wanted = String(Math.min(Math.max(position, Number(slider.min)), Number(slider.max)));
    slider.value = wanted;
    follow();
  }

  slider.addEventListener("input", () => move(Number(slider.value)));
  bar.addEventListener("click", (click) => {
    const step = click.target.closest("[data-time-step]");
    if (!step || click.ctrlKey || click.metaKey || click.shiftKey) return;
    click.preventDefault();
    move(Number(slider.value) + Number(step.dataset.timeStep));
  });
})();
