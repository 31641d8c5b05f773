// Pictures of the main pages, as the demo has filled them after a day of selling.

import { asked, go, inBrowser, note, room, signInByLink } from "./room.mjs";

const PICTURES = [
  { name: "risk", where: "/risk", height: 800 },
  { name: "overview", where: "/", height: 900 },
  { name: "record", where: "story", heading: "Story", scheme: "dark", height: 900 },
  { name: "waterfall", where: "/waterfall", height: 760 },
  { name: "agreement", where: "/agreement", heading: "Handoffs and response times", height: 860 },
  { name: "phone", where: "/risk", width: "phone", height: 844 },
];
// Until the first day's afternoon.
const WAIT = 36_000;

/** A lead that came back. */
async function story(page) {
  await go(page, "/risk");
  const leads = await page.locator('a[href^="/records/"]').evaluateAll((links) => links.map((a) => a.getAttribute("href")));
  for (const href of leads.filter((href) => href.includes("/lead/"))) {
    await go(page, href);
    if ((await page.locator("main").innerText()).includes("Recycled from")) return href;
  }
  return leads[0];
}

await inBrowser(async (browser) => {
  const first = await room(browser, "sign-in");
  const page = await signInByLink(first, asked.link);
  const session = await first.context.storageState();
  await page.waitForTimeout(WAIT);
  const told = await story(page);
  for (const { name, where, heading, height, width = "desktop", scheme = "light" } of PICTURES) {
    const open = await room(browser, name, { width, scheme, session, scale: width === "phone" ? 1.5 : 1 });
    const page = await open.context.newPage();
    await page.setViewportSize({ width: width === "phone" ? 390 : 1280, height });
    await go(page, where === "story" ? told : where);
    // What is counted in the background is shown once it is there.
    await page.waitForTimeout(4_000);
    if (heading) await page.getByRole("heading", { name: heading, exact: true }).evaluate((one) => one.parentElement.scrollIntoView());
    await page.screenshot({ path: `${asked.folder}/${name}.png` });
    note(`${name}.png: ${page.url()}`);
    await open.context.close();
  }
});
