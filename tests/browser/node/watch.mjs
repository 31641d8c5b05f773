// Watches the list of open clocks and the stories of leads without ever loading them again: a promise is missed,
// and the lead comes back.

import { check, go, note, room } from "./room.mjs";

const PATIENCE = 90_000;
// So many stories at once.
const WATCHED = 4;

export async function watch(browser, session, width) {
  const open = await room(browser, `watching, ${width}`, { width, session });
  const list = await open.context.newPage();
  await go(list, "/risk");
  await list.evaluate(() => { window.neverLoadedAgain = true; });
  const begun = Date.now();
  const stories = new Map();
  let back;
  while (!back && Date.now() - begun < PATIENCE) {
    // Of the promises, the one whose breach takes the lead back.
    const rows = list.getByRole("row").filter({ hasText: "First follow-up" });
    const leads = await rows.locator('a[href^="/records/"]').evaluateAll((links) => links.map((a) => a.getAttribute("href")));
    for (const [href, story] of [...stories]) {
      if (story.breached || leads.includes(href)) continue;
      // Answered in time.
      await story.page.close();
      stories.delete(href);
    }
    for (const href of leads.filter((href) => !stories.has(href)).slice(0, WATCHED - stories.size)) {
      const page = await open.context.newPage();
      await go(page, href);
      await page.evaluate(() => { window.neverLoadedAgain = true; });
      const text = await page.locator("main").innerText();
      if (text.includes("Recycled from")) await page.close();
      else stories.set(href, { page, breached: false });
    }
    for (const [href, story] of stories) {
      const text = await story.page.locator("main").innerText();
      if (text.includes("Breached: First follow-up")) story.breached = true;
      if (story.breached && text.includes("Recycled from")) back = [href, story.page];
    }
    await list.waitForTimeout(250);
  }
  check(back, open.name, "no lead breached and came back");
  if (back) {
    const [href, page] = back;
    check(await page.evaluate(() => window.neverLoadedAgain), open.name, "the story was loaded again");
    check((await page.evaluate(() => window.scrollY)) === 0, open.name, "whoever reads a story is moved about when it goes on");
    note(`${width}: ${href} breached and came back within ${Math.round((Date.now() - begun) / 1000)} s`);
  }
  check(await list.evaluate(() => window.neverLoadedAgain), open.name, "the list was loaded again");
  await open.context.close();
}
