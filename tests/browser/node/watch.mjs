// Watches the list of open clocks and the stories of leads without ever loading them again: a promise is missed,
// and the lead comes back.

import { check, go, note, room } from "./room.mjs";

const PATIENCE = 90_000;

/** Waits for the first of several things; what the others come to is left alone. */
export async function watch(browser, session, width) {
  const open = await room(browser, `watching, ${width}`, { width, session });
  const list = await open.context.newPage();
  await go(list, "/risk");
  await list.evaluate(() => { window.neverLoadedAgain = true; });
  const begun = Date.now();
  const stories = new Map();
  let back;
  while (!back && Date.now() - begun < PATIENCE) {
    const leads = await list.locator('a[href^="/records/"]').evaluateAll((links) => links.map((a) => a.getAttribute("href")));
    for (const href of leads.filter((href) => href.includes("/lead/") && !stories.has(href)).slice(0, 10 - stories.size)) {
      const page = await open.context.newPage();
      await go(page, href);
      // Only one whose promise is still open is watched.
      if (/Recycled from|Breached/.test(await page.locator("main").innerText())) await page.close();
      else {
        await page.evaluate(() => { window.neverLoadedAgain = true; });
        stories.set(href, { page, breached: false });
      }
    }
    for (const [href, story] of stories) {
      const text = await story.page.locator("main").innerText();
      if (text.includes("Breached:")) story.breached = true;
      if (story.breached && text.includes("Recycled from")) back = [href, story.page];
    }
    await list.waitForTimeout(250);
  }
  check(back, open.name, "no lead breached and came back");
  if (back) {
    const [href, page] = back;
    check(await page.evaluate(() => window.neverLoadedAgain), open.name, "the story was loaded again");
    note(`${width}: ${href} breached and came back within ${Math.round((Date.now() - begun) / 1000)} s`);
  }
  check(await list.evaluate(() => window.neverLoadedAgain), open.name, "the list was loaded again");
  await open.context.close();
}
