// Walks every page of the table of routes, in every room, from what pages lead to. `patterns`: the paths of
// the table, `{…}` where a name stands; `unlinked`: addresses of those that no link leads to; `not_there`: patterns
// of what there is none of; `documents`: patterns of HTML that is no page of ours.

import { asked, check, fault, go, look, note, room } from "./room.mjs";

const ROOMS = [
  { width: "desktop", scheme: "light" },
  { width: "phone", scheme: "light" },
  { width: "desktop", scheme: "dark" },
  { width: "phone", scheme: "dark" },
];

function matcher(pattern) {
  const parts = pattern.split(/\{[^}]*\}/).map((text) => text.replace(/[.*+?^$()|[\]\\]/g, "\\$&"));
  const tail = /\{[^}]*:\.\*\}$/.test(pattern) ? ".+" : "[^/]+";
  return new RegExp(`^${parts.slice(0, -1).join("[^/]+")}${parts.length > 1 ? tail : ""}${parts.at(-1)}$`);
}

/** What `fetch` sends for a session. */
export function cookieOf(session) {
  return session.cookies.map(({ name, value }) => `${name}=${value}`).join("; ");
}

/** An address of each pattern, found by following links from the first page. None of the links on the way leads nowhere. */
async function find(page, cookie) {
  const found = new Map([["/", "/"], ...asked.unlinked.filter(([pattern]) => asked.patterns.includes(pattern))]);
  const open = asked.patterns.map((pattern) => ({ pattern, matches: matcher(pattern) }));
  const take = (href) => {
    // Names before patterns, as the table has them.
    const bare = href.split(/[?#]/)[0];
    const one = open.find(({ pattern }) => pattern === bare) ?? open.find(({ matches }) => matches.test(bare));
    if (one && !found.has(one.pattern)) found.set(one.pattern, href.split("#")[0]);
  };
  const [seen, followed] = [new Set(), new Map()];
  for (let next; (next = [...found.values()].find((href) => !seen.has(href)));) {
    seen.add(next);
    if (!(await isPage(next, cookie))) continue;
    await go(page, next);
    const hrefs = await page.locator("a[href]").evaluateAll((links) => links.map((link) => link.getAttribute("href")));
    const ours = hrefs.filter((href) => href.startsWith("/"));
    ours.forEach(take);
    for (const href of ours.map((href) => href.split("#")[0])) followed.set(href, followed.get(href) ?? next);
  }
  for (const [href, from] of followed) {
    if (!seen.has(href)) await isPage(href, cookie, true, ` (from ${from})`);
  }
  return found;
}

/** Whether it is HTML; else only its status is looked at. Streams never end: the body is left alone. */
export async function isPage(href, cookie, must = true, from = "") {
  const stop = new AbortController();
  const answer = await fetch(asked.base + href, { headers: { cookie }, redirect: "manual", signal: stop.signal });
  if (must) check(answer.status < 400, href, `answers ${answer.status}${from}`);
  const kind = answer.headers.get("content-type") ?? "";
  stop.abort();
  return answer.status < 400 && kind.startsWith("text/html");
}

/** Signed in with this session. */
export async function walk(browser, session) {
  const cookie = cookieOf(session);
  const first = await room(browser, "walk", { session });
  const page = await first.context.newPage();
  const found = await find(page, cookie);
  await first.context.close();
  for (const pattern of asked.patterns) {
    if (!found.has(pattern) && !asked.not_there.includes(pattern)) fault(pattern, "no page leads to it");
  }
  const pages = [];
  for (const [pattern, href] of found) {
    if ((await isPage(href, cookie)) && !asked.documents.includes(pattern)) pages.push(href);
  }
  const through = async ({ width, scheme }) => {
    const open = await room(browser, `${width}, ${scheme}`, { width, scheme, session });
    for (const href of pages) {
      const page = await open.context.newPage();
      await go(page, href).then(() => look(open, page)).catch((error) => fault(`${open.name} ${href}`, error));
      await page.close();
    }
    await open.context.close();
  };
  // Two at a time: the machine has two cores.
  await Promise.all([through(ROOMS[0]).then(() => through(ROOMS[2])), through(ROOMS[1]).then(() => through(ROOMS[3]))]);
  note(`walked ${pages.length} pages: ${pages.join(" ")}`);
}
