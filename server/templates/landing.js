"use strict";

// What a copy button says stays for this long, in ms.
const SHOWN = 2500;
const status = document.getElementById("status");

async function copy(source) {
  try {
    await navigator.clipboard.writeText(source.textContent);
    return true;
  } catch {
    // Over plain http to another machine there is no clipboard API: select the text, and try the
    // older command.
    getSelection().selectAllChildren(source);
    return document.execCommand("copy");
  }
}

for (const button of document.querySelectorAll("button[data-copies]")) {
  const source = document.getElementById(button.dataset.copies);
  const word = button.querySelector("[data-word]");
  const name = button.querySelector(".unseen").textContent.trim();
  let timer;
  button.addEventListener("click", async () => {
    const copied = await copy(source);
    word.textContent = copied ? "Copied" : "Selected";
    status.textContent = copied
      ? `Copied ${name}.`
      : `Selected ${name}: press Ctrl+C or ⌘C to copy.`;
    clearTimeout(timer);
    timer = setTimeout(() => {
      word.textContent = "Copy";
      status.textContent = "";
    }, SHOWN);
  });
  button.hidden = false;
}
