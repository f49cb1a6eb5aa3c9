// Light, dark, or as the system has it; remembered by the browser.

const KEY = "zeroshelf-theme";
const THEMES = [
  ["system", "◐", "Light or dark as the system has it"],
  ["light", "☀", "Light"],
  ["dark", "☾", "Dark"],
];

function remembered() {
  try {
    return localStorage.getItem(KEY) ?? "system";
  } catch {
    return "system"; // a browser that keeps nothing
  }
}

export function make_theme(button) {
  let theme = remembered();
  const show = () => {
    const [name, sign, title] = THEMES.find(([value]) => value === theme) ?? THEMES[0];
    document.documentElement.dataset.theme = name;
    button.textContent = sign;
    button.title = title;
    button.setAttribute("aria-label", `${title}; change it`);
  };
  button.addEventListener("click", () => {
    const place = THEMES.findIndex(([value]) => value === theme);
    theme = THEMES[(place + 1) % THEMES.length][0];
    try {
      localStorage.setItem(KEY, theme);
    } catch {
      // Then it lasts as long as the page.
    }
    show();
  });
  show();
}
