// The strip of live events. Loaded before the page is drawn, so that a strip that is open does not push it aside later.
"use strict";

(() => {
  const ROWS = 50, POLL = 4000, POLLS_UNTIL_STREAM = 8, KEPT = "live-strip", RARELY = "every few seconds";
  const page = document.documentElement;
  const kept = {
    get() { try { return localStorage.getItem(KEPT); } catch { return null; } },
    set(value) { try { localStorage.setItem(KEPT, value); } catch { /* it is open on this page only */ } },
  };
  if (kept.get() === "open") page.dataset.live = "open";

  document.addEventListener("DOMContentLoaded", () => {
    const strip = document.getElementById("live-strip");
    const link = document.querySelector("[data-live-toggle]");
    if (!strip || !link) return;
    const part = (name) => strip.querySelector(`[data-live-${name}]`);
    const list = part("list"), row = document.getElementById("live-row");
    let source = null, timer = 0, polls = 0, failed = 0, last = null, complete = false, lit = null;

    // The link becomes a button that looks the same.
    const toggle = document.createElement("button");
    toggle.type = "button";
    toggle.className = link.className;
    toggle.append(...link.childNodes);
    toggle.setAttribute("aria-controls", strip.id);
    link.replaceWith(toggle);

    const isOpen = () => page.dataset.live === "open";
    const say = (words) => {
      if (part("state").textContent !== words) part("state").textContent = words;
      strip.dataset.state = words;
    };
    const address = () => strip.dataset.stream + (last === null ? "" : `?after=${last}`);

    // What arrives
    function add(event) {
      last = event.number;
      const item = row.content.cloneNode(true).firstElementChild;
      item.classList.add(`family-${event.family}`);
      if (complete) item.classList.add("live-new");
      const number = item.querySelector("[data-live-number]");
      number.textContent = `#${event.number}`;
      number.href = `${strip.dataset.events}/${event.number}`;
      number.setAttribute("aria-label", `Event ${event.number}`);
      const time = item.querySelector("time");
      time.dateTime = time.title = event.time;
      time.textContent = event.moment;
      const words = item.querySelector("[data-live-words]");
      words.classList.add(`family-${event.family}`);
      words.textContent = event.words;
      words.title = event.type;
      for (const [key, value] of Object.entries(event.ids)) item.querySelector(".live-ids").append(chip(key, value));
      light(item);
      list.prepend(item);
      while (list.children.length > ROWS) list.lastElementChild.remove();
    }
    function upTo(position) {
      last = position;
      complete = true;
      list.removeAttribute("aria-busy");
      part("empty").hidden = list.children.length > 0;
    }

    // A chip lights the events of its dynamic stream.
    function chip(key, value) {
      const button = document.createElement("button");
      button.type = "button";
      button.className = "live-chip";
      button.dataset.key = key;
      button.dataset.value = value;
      button.title = `${key} ${value}: light every event of it`;
      const name = document.createElement("span");
      name.textContent = key.replace(/ID$/, "");
      button.append(name, ` …${value.slice(-6)}`);
      return button;
    }
    const isLit = (button) => lit !== null && button.dataset.key === lit.key && button.dataset.value === lit.value;
    function light(item) {
      const buttons = [...item.querySelectorAll(".live-chip")];
      buttons.forEach((button) => button.setAttribute("aria-pressed", String(isLit(button))));
      item.classList.toggle("live-dim", lit !== null && !buttons.some(isLit));
    }
    function choose(stream) {
      lit = stream;
      [...list.children].forEach(light);
      part("stream").hidden = lit === null;
      if (lit === null) return;
      part("lit").textContent = `${lit.key.replace(/ID$/, "")} …${lit.value.slice(-6)}`;
      part("link").href = `${strip.dataset.events}?${new URLSearchParams({ [lit.key]: lit.value })}`;
    }

    // How it arrives: as it happens, or, where that does not work, every few seconds.
    function follow() {
      stop();
      if (!window.EventSource) return poll();
      source = new EventSource(address());
      source.onopen = () => { failed = 0; };
      source.onmessage = (message) => { part("empty").hidden = true; add(JSON.parse(message.data)); };
      source.addEventListener("position", (message) => { say("live"); upTo(Number(message.data)); });
      source.addEventListener("position-for-now", (message) => { say(RARELY); upTo(Number(message.data)); });
      source.onerror = () => {
        if (source.readyState === EventSource.CLOSED) poll(); else if (failed++) say("connecting");
      };
    }
    async function poll() {
      stop();
      const asked = timer = setTimeout(() => {}, 0);
      let pause = POLL;
      try {
        const answer = await fetch(address(), { headers: { Accept: "application/json" } });
        if (!answer.ok) throw new Error(answer.statusText);
        const { events, position } = await answer.json();
        if (timer !== asked) return;
        events.forEach(add);
        upTo(position);
        say(RARELY);
      } catch {
        if (timer !== asked) return;
        say("connecting");
        pause *= 2;
      }
      polls += 1;
      timer = setTimeout(polls % POLLS_UNTIL_STREAM ? poll : follow, pause);
    }
    function stop() {
      source?.close();
      source = null;
      clearTimeout(timer);
      timer = 0;
    }

    // A browser has few connections to one server: only a page that is looked at follows.
    function refresh() {
      toggle.setAttribute("aria-expanded", String(isOpen()));
      if (!isOpen() || document.hidden) stop(); else if (!source && !timer) follow();
    }
    function show(open) {
      if (open) page.dataset.live = "open"; else delete page.dataset.live;
      kept.set(open ? "open" : "closed");
      refresh();
      (open ? strip : toggle).focus({ preventScroll: true });
    }
    toggle.addEventListener("click", () => show(!isOpen()));
    part("close").addEventListener("click", () => show(false));
    part("all").addEventListener("click", () => { choose(null); list.focus(); });
    list.addEventListener("click", (click) => {
      const button = click.target.closest(".live-chip");
      if (button) choose(isLit(button) ? null : { ...button.dataset });
    });
    document.addEventListener("keydown", (key) => {
      if (key.key === "Escape" && !key.defaultPrevented && isOpen()) show(false);
    });
    document.addEventListener("visibilitychange", refresh);
    window.addEventListener("pagehide", stop);
    window.addEventListener("pageshow", refresh);
    refresh();
  });
})();
