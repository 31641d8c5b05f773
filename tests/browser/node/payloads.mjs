// Twenty-five attempts to have a script run, in every field that the CRM lets people fill in. None runs, each is
// shown as the text that it is, and none breaks a page.

import { createHmac } from "node:crypto";
import { asked, check, fault, go, inBrowser, look, note, path, room, signIn } from "./room.mjs";
import { cookieOf, isPage } from "./walk.mjs";

const PAYLOADS = [
  "<script>hit(1)</script>",
  "\"><script>hit(2)</script>",
  "'><img src=x onerror=hit(3)>",
  "\" onmouseover=\"hit(4)\" autofocus onfocus=\"hit(4)\" x=\"",
  "' onfocus='hit(5)' autofocus tabindex='0",
  "<svg onload=hit(6)>",
  "<svg><animate onbegin=hit(7) attributeName=x dur=1s>",
  "<svg><script>hit(8)</script></svg>",
  "<math><mtext><table><mglyph><style><img src=x onerror=hit(9)>",
  "<iframe srcdoc='<script>parent.hit(10)</script>'></iframe>",
  "<body onload=hit(11)>",
  "</title></textarea></style></script><script>hit(12)</script>",
  "<!--><script>hit(13)</script>-->",
  "javascript:hit(14)",
  "JaVaScRiPt&colon;hit(15)",
  "<a href=javascript:hit(16)>click</a>",
  "data:text/html,<script>hit(17)</script>",
  "{{7*7}}{% raw %}{{constructor.constructor('hit(18)')()}}",
  "${hit(19)}#{hit(19)}<%= hit(19) %>",
  "<div hx-get=/account hx-trigger=load hx-on:htmx:load=hit(20)>",
  "<details open ontoggle=hit(21)>",
  "<input autofocus onfocus=hit(22)>",
  "&lt;script&gt;hit(23)&lt;/script&gt;&#60;img src=x onerror=hit(23)&#62;",
  "\u202eDe-teid\u2066 hit(24)\u2069\u202c \u0000<\u200bscript>",
  "W".repeat(400) + "<script>hit(25)</script>",
];

const post = (where, headers, body) =>
  fetch(where, { method: "POST", headers: { "content-type": "application/json", ...headers }, body });

async function lead(values) {
  const answer = await post(`${asked.crm}/_sandbox/records/hubspot/contacts`, {}, JSON.stringify(values));
  return (await answer.json()).id;
}

/** The other system's record ids are texts as well. */
async function event(id, fields) {
  const now = new Date().toISOString();
  const body = JSON.stringify({ type: "lead.changed", timestamp: now, data: { id, fields, by: fields.owner } });
  const signature = createHmac("sha256", asked.key).update(body).digest("hex");
  const answer = await post(`${asked.base}/webhooks/other`, { "X-Signature": `sha256=${signature}` }, body);
  // An id that no system has may be refused.
  return answer.status;
}

async function plant() {
  const planted = [];
  for (const [n, text] of PAYLOADS.entries()) {
    const clean = text.replaceAll("\u0000", "");
    const id = await lead({
      firstname: clean, lastname: "", company: clean, email: clean, hs_analytics_source: clean,
      hs_analytics_first_touch_converting_campaign: clean, budget: clean, need: clean, reject_reason: clean,
      hs_lead_status: asked.status, hubspot_owner_id: n % 2 ? asked.amy : asked.mallory,
    });
    planted.push({ id, text: clean });
    const status = await event(`${n} ${clean}`.slice(0, 200), { name: clean, company: clean, owner: clean, status: asked.logical });
    check(status < 500, "webhook", `${clean} is answered with ${status}`);
  }
  return planted;
}

// As the eye sees it: white space runs together.
const seen = (text) => text.replace(/[\s\u200b]+/g, " ").trim();

async function through(browser, session, width, planted, hrefs) {
  const open = await room(browser, `payloads, ${width}`, { width, session });
  await open.context.addInitScript(() => {
    window.hits = [];
    window.hit = (what) => window.hits.push(what);
  });
  const page = await open.context.newPage();
  const unhurt = async () => {
    const { hits, frames } = await page.evaluate(() => ({ hits: window.hits, frames: document.querySelectorAll("iframe:not([sandbox]), object, embed, base").length }));
    check(hits.length === 0, `${open.name} ${path(page.url())}`, `ran ${hits}`);
    check(frames === 0, `${open.name} ${path(page.url())}`, "frames something");
    const links = await page.locator("a[href], form[action]").evaluateAll((all) => all.map((one) => one.getAttribute("href") ?? one.getAttribute("action")));
    const odd = links.filter((href) => !/^(\/|#|\?|https?:\/\/)/.test(href));
    check(odd.length === 0, `${open.name} ${path(page.url())}`, `links to ${odd}`);
  };
  for (const { id, text } of planted) {
    await go(page, `/records/hubspot/lead/${id}`);
    const heading = seen(await page.locator("h1").textContent());
    check(heading === seen(text), `${open.name} ${path(page.url())}`, `shows “${heading}” for “${text}”`);
    await unhurt();
  }
  for (const href of hrefs) {
    // A place in a list that is none may be refused, and so may a page that is not there.
    if (href.includes("?")) open.expects.add(400).add(404);
    await go(page, href);
    // What waits for a pointer or the focus gets it.
    await page.keyboard.press("Tab");
    await unhurt();
    if (!asked.documents.includes(href)) await look(open, page, null);
  }
  await open.context.close();
}

await inBrowser(async (browser) => {
  const planted = await plant();
  const open = await room(browser, "payloads");
  const page = await open.context.newPage();
  await signIn(page, asked.login, asked.password);
  await page.waitForURL(asked.base + "/");
  const session = await open.context.storageState();
  const last = planted.at(-1).id;
  // Everything has arrived, and the first promises are missed.
  open.expects.add(404);
  for (let tries = 0; tries < 60; tries++) {
    const answer = await go(page, `/records/hubspot/lead/${last}`);
    if (answer.status() === 200 && (await page.locator("main").innerText()).includes("Breached")) break;
    await page.waitForTimeout(500);
  }
  open.expects.delete(404);
  await go(page, "/risk?connection=other");
  const known = await page.locator('a[href^="/records/"]').evaluateAll((links) => links.map((a) => a.getAttribute("href")));
  const others = known.filter((href) => href.startsWith("/records/other/")).slice(0, 12);
  check(others.length > 0, "payloads", "no record of the other system is shown");
  // With what they search for.
  const plain = [];
  for (const pattern of asked.patterns.filter((pattern) => !pattern.includes("{"))) {
    // What wants more than its name is looked at elsewhere.
    if (await isPage(pattern, cookieOf(session), false)) plain.push(pattern);
  }
  const asks = PAYLOADS.slice(0, 3).map((text) => encodeURIComponent(text));
  const searched = asks.flatMap((text) => [`/?after=${text}`, `/find?q=${text}`, `/risk?owner=${text}&party=${text}`]);
  const hrefs = [...plain, ...others, ...searched];
  await Promise.all(["desktop", "phone"].map((width) => through(browser, session, width, planted, hrefs)));
  await open.context.close();
  note(`${planted.length} attempts on ${planted.length + hrefs.length} pages, twice`);
});
