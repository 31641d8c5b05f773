// A browser for a test: rooms are contexts of one width and colour scheme, in which everything that goes
// wrong unseen is written down (errors, refused scripts, failed requests, dialogs). What a page must keep
// everywhere is looked at here as well: accessible by axe's rules, no wider than the window.
// Called with one argument, JSON: { browser, base, link, longest, … }.

import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { chromium } from "playwright-core";

const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const WIDTHS = { desktop: { width: 1280, height: 900 }, phone: { width: 390, height: 844 } };
// Only faults of this weight break a test; the others are told.
const GRAVE = ["serious", "critical"];

export const asked = JSON.parse(process.argv[2]);
const faults = new Set();

export function fault(where, what) {
  faults.add(`${where}: ${what}`);
}

export function check(is, where, what) {
  if (!is) fault(where, what);
}

export function note(text) {
  console.log(text);
}

/** Runs what is to be done in a browser, tells every fault, and fails with any. */
export async function inBrowser(what) {
  // However a page hangs, and whoever started this may be gone.
  setTimeout(() => give("it takes too long"), asked.longest * 1000).unref();
  const browser = await chromium.launch({
    executablePath: asked.browser,
    args: ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--disable-background-networking",
      "--disable-component-update", "--disable-sync", "--no-first-run", "--font-render-hinting=none"],
    timeout: 60_000,
  });
  try {
    await what(browser);
  } catch (error) {
    fault("stopped", error.stack ?? error);
  }
  await browser.close();
  if (faults.size > 0) give(`${faults.size} faults`);
}

function give(why) {
  for (const one of faults) console.log(`FAULT ${one}`);
  console.log(why);
  process.exit(1);
}

/** A context, watched. `name`: what faults of it are told under. `session`: the state of one that signed in. */
export async function room(browser, name, { width = "desktop", scheme = "light", session, scale = 1, scripts = true } = {}) {
  const context = await browser.newContext({
    viewport: WIDTHS[width],
    isMobile: width === "phone",
    hasTouch: width === "phone",
    deviceScaleFactor: scale,
    colorScheme: scheme,
    javaScriptEnabled: scripts,
    locale: "en-US",
    timezoneId: "Europe/Berlin",
    storageState: session,
  });
  context.setDefaultTimeout(15_000);
  await context.addInitScript(() => {
    document.addEventListener("securitypolicyviolation", (event) => {
      console.error(`refused by the policy: ${event.violatedDirective} ${event.blockedURI} ${event.sample}`);
    });
  });
  await context.addInitScript(AXE);
  // Statuses that the test asks for; whether it answers a question with yes.
  const open = { context, name, width, expects: new Set(), says: null };
  context.on("page", (page) => watch(open, page));
  return open;
}

function watch(open, page) {
  const where = () => `${open.name} ${path(page.url())}`;
  page.on("pageerror", (error) => fault(where(), `threw ${error.stack ?? error}`));
  page.on("console", (message) => {
    // Answers with an error are judged by their status below.
    if (message.type() === "error" && !message.text().startsWith("Failed to load resource")) {
      fault(where(), `console: ${message.text()}`);
    }
  });
  page.on("requestfailed", (request) => {
    // What the page asked for when it was left.
    if (request.failure()?.errorText !== "net::ERR_ABORTED") {
      fault(where(), `${request.url()} failed: ${request.failure()?.errorText}`);
    }
  });
  page.on("request", (request) => {
    if (/^https?:/.test(request.url()) && !request.url().startsWith(asked.base)) {
      fault(where(), `asks elsewhere: ${request.url()}`);
    }
  });
  page.on("response", (response) => {
    if (response.status() >= 400 && !open.expects.has(response.status())) {
      fault(where(), `${response.request().method()} ${path(response.url())} answered ${response.status()}`);
    }
  });
  page.on("dialog", async (dialog) => {
    if (open.says === null) fault(where(), `a dialog: ${dialog.type()} “${dialog.message()}”`);
    await (open.says ? dialog.accept() : dialog.dismiss());
  });
}

export function path(url) {
  return url.startsWith("http") ? url.slice(new URL(url).origin.length) : url;
}

/** Opens an address of ours. */
export async function go(page, where) {
  return page.goto(asked.base + where, { waitUntil: "load" });
}

/** Uses the link that signs in once, and keeps the session for other rooms. */
export async function signInByLink(open, link) {
  const page = await open.context.newPage();
  await go(page, path(link));
  await page.getByRole("button", { name: /^Sign in/ }).click();
  await page.waitForURL(asked.base + "/");
  return page;
}

/** Signs in with a password, from the form. */
export async function signIn(page, login, password) {
  await go(page, "/login");
  await page.getByLabel("E-mail address").fill(login);
  await page.getByLabel("Password").fill(password);
  await page.getByRole("button", { name: "Sign in" }).click();
}

/** By the menu, as people go. */
export async function menu(open, page, label) {
  if (open.width === "phone") await page.getByRole("button", { name: "Menu" }).click();
  await page.getByRole("navigation", { name: "Main" }).getByRole("link", { name: label, exact: true }).click();
  await page.waitForLoadState("load");
}

/** Loads a page again until it is so; only where nothing is promised to be live. */
export async function until(open, page, where, what, is) {
  const soft = !open.expects.has(404);
  if (soft) open.expects.add(404);
  for (const begun = Date.now(); ; ) {
    const answer = await go(page, where);
    if (answer.status() === 200 && (await is())) break;
    if (Date.now() - begun > 30_000) throw new Error(`${where}: it does not happen that ${what}`);
    await page.waitForTimeout(300);
  }
  if (soft) open.expects.delete(404);
}

/** What must hold on every page, in every room. `rules`: only these of axe's; `null`: none. */
export async function look(open, page, rules) {
  const where = `${open.name} ${path(page.url())}`;
  const seen = await page.evaluate(() => {
    const root = document.scrollingElement;
    const limit = document.documentElement.clientWidth;
    const inScroller = (node) => {
      for (let up = node.parentElement; up; up = up.parentElement) {
        if (up !== root && getComputedStyle(up).overflowX !== "visible") return true;
      }
      return false;
    };
    const wide = [...document.body.querySelectorAll("*")].filter((node) =>
      node.getBoundingClientRect().right > limit + 1 && !inScroller(node));
    const named = (node) => `<${node.tagName.toLowerCase()} class="${node.getAttribute("class") ?? ""}"> ${node.textContent.trim().slice(0, 40)}`;
    return {
      width: root.scrollWidth,
      wide: wide.slice(-3).map(named),
      headings: document.querySelectorAll("h1").length,
      title: document.title,
    };
  });
  check(seen.width <= WIDTHS[open.width].width, where,
    `scrolls sideways: ${seen.width} px of ${WIDTHS[open.width].width}; ${seen.wide.join(" | ")}`);
  check(seen.headings === 1, where, `has ${seen.headings} first headings`);
  check(!/^\s*·/.test(seen.title) && seen.title.length > 0, where, "has no title");
  if (rules !== null) await accessible(page, where, rules);
}

async function accessible(page, where, rules) {
  const found = await page.evaluate(async (only) => {
    // Off by default: what a finger is to hit is 24 px large, or has so much room.
    const rules = { "target-size": { enabled: true } };
    const options = { resultTypes: ["violations"], preload: false, rules };
    if (only) options.runOnly = { type: "rule", values: only };
    const { violations } = await axe.run(document, options);
    return violations.map((one) => ({
      id: one.id,
      impact: one.impact,
      help: one.help,
      nodes: one.nodes.slice(0, 3).map((node) => `${node.html.slice(0, 160)} (${node.any.concat(node.all, node.none).map((a) => a.message).join("; ").slice(0, 200)})`),
      count: one.nodes.length,
    }));
  }, rules);
  for (const one of found) {
    const text = `axe, ${one.impact}: ${one.id}, ${one.help}; ${one.count} times, as in ${one.nodes.join(" | ")}`;
    if (GRAVE.includes(one.impact)) fault(where, text);
    else note(`note ${where}: ${text}`);
  }
}
