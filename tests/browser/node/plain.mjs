// Without any script, at a desk or on a phone: one signs in, looks at the main pages, filters, disputes a breach, and
// signs out by the menu. Whatever a page shows there works, or is not shown.

import { asked, check, fault, go, inBrowser, look, menu, note, path, room, signIn, until } from "./room.mjs";

const { width, login, password } = asked;

async function lead() {
  const values = { firstname: "Jonas", lastname: "Berg", hs_lead_status: asked.status, hubspot_owner_id: asked.amy };
  const sent = { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(values) };
  return (await (await fetch(`${asked.crm}/_sandbox/records/hubspot/contacts`, sent)).json()).id;
}

/** What could be pressed, chosen or followed and does nothing without a script. */
async function dead(open, page) {
  const found = await page.locator("body").evaluate((body) => {
    const shows = (node) => node.checkVisibility({ visibilityProperty: true });
    const sends = (form) => [...form.querySelectorAll("button:not([type=button]), input[type=submit]")].some(shows);
    const works = {
      a: (node) => node.hasAttribute("href") && !node.getAttribute("href").startsWith("#!"),
      button: (node) => node.hasAttribute("popovertarget") || (node.form && node.type === "submit"),
      // A field for searching is sent by the Enter key.
      input: (node) => node.form && !node.dataset.into && (sends(node.form) || node.type === "search"),
      select: (node) => node.form && sends(node.form),
      textarea: (node) => node.form && sends(node.form),
    };
    const folded = [...body.querySelectorAll("details:not([open])")];
    folded.forEach((one) => { one.open = true; });
    const all = Object.entries(works).flatMap(([name, does]) =>
      [...body.querySelectorAll(name)].filter((node) => shows(node) && node.type !== "hidden" && !does(node)));
    const handled = [...body.querySelectorAll("[onclick], [onchange], [hx-post], [hx-put], [hx-delete]")].filter(shows);
    folded.forEach((one) => { one.open = false; });
    return [...all, ...handled].map((node) => node.outerHTML.slice(0, 160));
  });
  for (const one of found) fault(`${open.name} ${path(page.url())}`, `does nothing without a script: ${one}`);
}

async function seen(open, page, heading) {
  await page.getByRole("heading", { level: 1, name: heading }).waitFor();
  await look(open, page, null);
  await dead(open, page);
}

/** Presses the button of the filters and tells which address it leads to. */
async function filtered(page) {
  await page.locator("form.filters").getByRole("button", { name: "Show" }).click();
  await page.waitForLoadState("load");
  return path(page.url());
}

const main = (page) => page.locator("main").innerText();

async function looksAround(open, page, id) {
  await menu(open, page, "Risk");
  await seen(open, page, "At risk");
  await page.getByLabel("State").selectOption("breached");
  check((await filtered(page)).includes("state=breached"), open.name, "the filter is not in the address");
  await seen(open, page, "At risk");
  await menu(open, page, "Agreement");
  await seen(open, page, /./);
  await menu(open, page, "Deliveries");
  await seen(open, page, "Deliveries");
  await filtered(page);
  await seen(open, page, "Deliveries");
  check((await page.getByRole("row").count()) > 1, open.name, "filters that are left empty hide every delivery");
  await menu(open, page, "Journal");
  await seen(open, page, "Journal");
  const all = await page.getByRole("row").count();
  await filtered(page);
  // More may have come by now.
  check((await page.getByRole("row").count()) >= all, open.name, "filters that are left empty hide entries");
  await page.getByLabel("Kind").selectOption("breached");
  await filtered(page);
  await seen(open, page, "Journal");
  const some = await page.getByRole("row").count();
  check(some > 1 && some < all, open.name, `of ${all} entries ${some} tell of a breach`);
  await page.getByRole("button", { name: "Verify the chain" }).click();
  await page.waitForLoadState("load");
  await until(open, page, "/journal", "the chain is verified", async () => (await main(page)).includes("Verified"));
  await seen(open, page, "Journal");
  for (const label of ["Waterfall", "Campaigns", "Health", "Templates", "Simulate", "Disputes"]) {
    const link = page.getByRole("navigation", { name: "Main", includeHidden: true }).getByRole("link", { name: label, exact: true, includeHidden: true });
    if ((await link.count()) === 0) continue;
    await menu(open, page, label);
    await seen(open, page, /./);
  }
  if (width === "phone") await page.getByRole("button", { name: "Menu" }).click();
  await page.getByRole("searchbox").fill("jonas");
  await page.keyboard.press("Enter");
  await page.waitForURL((url) => url.pathname === "/find" || url.pathname.startsWith("/records/"));
  check((await main(page)).includes("Jonas Berg"), open.name, "the lead is not found");
  await go(page, `/records/hubspot/lead/${id}`);
  await seen(open, page, "Jonas Berg");
}

async function disputes(open, page) {
  await page.getByText("Dispute a breach, rejection or violation").click();
  await page.locator("#dispute-why").fill("I called twice");
  await page.getByRole("button", { name: /^Dispute it/ }).click();
  await page.getByRole("status").first().waitFor();
  await seen(open, page, "Jonas Berg");
  await menu(open, page, "Disputes");
  await page.getByRole("row").getByRole("link").first().click();
  await page.getByText("“I called twice”").waitFor();
  await seen(open, page, /./);
}

await inBrowser(async (browser) => {
  const open = await room(browser, `no script, ${width}`, { width, scripts: false });
  const page = await open.context.newPage();
  const id = await lead();
  await go(page, "/login");
  await seen(open, page, /./);
  await signIn(page, login, password);
  await page.waitForURL(asked.base + "/");
  await until(open, page, "/", "the figures are there", async () => !(await main(page)).includes("Being counted"));
  await seen(open, page, /./);
  await until(open, page, `/records/hubspot/lead/${id}`, "the lead breaches", async () => (await main(page)).includes("Breached"));
  await looksAround(open, page, id);
  await disputes(open, page);
  if (width === "phone") await page.getByRole("button", { name: "Menu" }).click();
  await page.getByRole("button", { name: "Sign out" }).click();
  await page.waitForURL((url) => url.pathname === "/login");
  await go(page, "/risk");
  check(path(page.url()).startsWith("/login"), open.name, "signing out leaves the session open");
  note(`${width}: all of it without a script`);
});
