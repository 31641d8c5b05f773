// The little that pages cannot do without a script. They all work without it, too.
"use strict";

// <form data-confirm="Really?"> asks before it is sent.
document.addEventListener("submit", (event) => {
  const question = event.target.dataset.confirm;
  if (question && !window.confirm(question)) {
    event.preventDefault();
    event.stopImmediatePropagation();
  }
}, true);

// <form class="filters"> is sent as soon as a choice is made; its button is for who has no script.
document.addEventListener("change", (event) => {
  const form = event.target.closest("form.filters");
  if (form && event.target.matches("select, input[type=checkbox], input[type=radio], input[type=date]")) {
    form.requestSubmit();
  }
});

// Empty filters stay out of the address.
document.addEventListener("formdata", (event) => {
  if (!event.target.matches("form.filters")) return;
  for (const [name, value] of [...event.formData]) {
    if (value === "") event.formData.delete(name);
  }
});

// Elements with data-live hear when something changed, and then ask for themselves again (hx-trigger="told"). Whoever
// reads a folded-out table there or is about to press something is not disturbed.
let missed = false;
const hears = () => {
  const live = document.querySelector("[data-live]");
  if (!live || document.hidden) { missed = document.hidden; return; }
  if (live.querySelector("details[open]") || live.contains(document.activeElement)) return;
  live.dispatchEvent(new CustomEvent("told"));
};
if (document.querySelector("[data-live]") && "EventSource" in window) {
  const source = new EventSource("/live");
  source.addEventListener("told", hears);
  source.addEventListener("error", () => {
    // Refused for good: ask now and then instead.
    if (source.readyState === EventSource.CLOSED) setInterval(hears, 30000);
  });
  window.addEventListener("pagehide", () => source.close());
}
document.addEventListener("visibilitychange", () => {
  if (!document.hidden && missed) { missed = false; hears(); }
});

// <input type="file" data-into="id"> puts the file's text into a field; without a script it stays hidden.
const offer = () => {
  for (const input of document.querySelectorAll("input[type=file][data-into]")) input.closest("[hidden]")?.removeAttribute("hidden");
};
document.addEventListener("DOMContentLoaded", offer);
document.addEventListener("change", async (event) => {
  const field = event.target.dataset.into && document.getElementById(event.target.dataset.into);
  const file = field && event.target.files[0];
  if (file) field.value = await file.text();
});
