// The demo: one signs in by its link, watches a lead on two widths, and meanwhile every page is walked.

import { asked, inBrowser, room, signInByLink } from "./room.mjs";
import { walk } from "./walk.mjs";
import { watch } from "./watch.mjs";

await inBrowser(async (browser) => {
  const open = await room(browser, "sign-in");
  await signInByLink(open, asked.link);
  const session = await open.context.storageState();
  await open.context.close();
  await Promise.all([watch(browser, session, "desktop"), watch(browser, session, "phone")]);
  await walk(browser, session);
});
