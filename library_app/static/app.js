// Progressive enhancement only: every page works without this file.
"use strict";

// A click on a short id copies the whole id.
document.addEventListener("click", async (click) => {
  const chip = click.target.closest("[data-copy]");
  if (!chip || !navigator.clipboard || click.target.closest("a")) return;
  const shown = chip.textContent;
  try {
    await navigator.clipboard.writeText(chip.dataset.copy);
  } catch {
    return;
  }
  chip.textContent = "copied";
  setTimeout(() => { chip.textContent = shown; }, 900);
});

// A form is sent once, however often the button is pressed; coming back by the history re-enables it.
document.addEventListener("submit", (submit) => {
  if (submit.target.method !== "post") return;
  setTimeout(() => submit.target.querySelectorAll("button").forEach((button) => { button.disabled = true; }), 0);
});
window.addEventListener("pageshow", () => {
  document.querySelectorAll("button:disabled").forEach((button) => { button.disabled = false; });
});

// After a refused form the first wrong field gets the focus, or else what was said against it.
document.querySelector("[aria-invalid=true], main [role=alert][tabindex]")?.focus();

// A form that only asks leaves out of its address what was not filled in.
document.addEventListener("formdata", (sent) => {
  if (!sent.target.matches("[data-short-address]")) return;
  for (const [name, value] of [...sent.formData]) if (value === "") sent.formData.delete(name);
});
