// An agreement's first day, on one width: both sides sign it, a connection is armed, a lead breaches and comes back
// before one's eyes, somebody disputes that, and what the CRM refused is tried again.

import { asked, check, go, inBrowser, look, menu, note, path, room, signIn, until } from "./room.mjs";

const { width, password } = asked;

const sandbox = (method, where, body) =>
  fetch(`${asked.crm}/_sandbox/${where}`, { method, headers: { "content-type": "application/json" }, body: body && JSON.stringify(body) });

async function lead(firstname, lastname) {
  const values = { firstname, lastname, company: "Blåbær & Sønner", hs_lead_status: asked.status, hubspot_owner_id: asked.amy };
  return (await (await sandbox("POST", "records/hubspot/contacts", values)).json()).id;
}

/** Somebody's browser, signed in. */
async function person(browser, login) {
  const open = await room(browser, `${login}, ${width}`, { width });
  open.says = true;
  const page = await open.context.newPage();
  await signIn(page, login, password);
  await page.waitForURL(asked.base + "/");
  return { open, page };
}

const main = (page) => page.locator("main").innerText();

async function sign(browser, login, name) {
  const { open, page } = await person(browser, login);
  await menu(open, page, "Agreement");
  await page.getByRole("link", { name: /sign it/ }).click();
  await page.waitForLoadState("load");
  await look(open, page);
  await page.getByLabel("Your password, once more").fill("not the password");
  open.expects.add(400).add(401).add(403).add(422);
  await page.getByRole("button", { name: /^Sign version/ }).click();
  await page.getByRole("alert").waitFor();
  await look(open, page, null);
  await page.getByLabel("Your password, once more").fill(password);
  await page.getByRole("button", { name: /^Sign version/ }).click();
  await page.getByRole("status").waitFor();
  check((await main(page)).includes(name), open.name, `${name} does not stand under the agreement`);
  await look(open, page);
  await open.context.close();
}

async function arm({ open, page }) {
  await menu(open, page, "Health");
  await look(open, page);
  const card = page.locator("section.card").filter({ has: page.getByRole("heading", { name: /^hubspot/ }) });
  await card.getByRole("link", { name: /^Arm/ }).click();
  await page.getByLabel("Why").fill("The first day");
  await look(open, page);
  await page.getByRole("button", { name: "Arm hubspot" }).click();
  await page.getByRole("status").first().waitFor();
  check(path(page.url()).startsWith("/health"), open.name, `arming leads to ${path(page.url())}`);
  check((await card.getByRole("button", { name: /^Disarm/ }).count()) === 1, open.name, "it is not armed");
  await look(open, page);
}

/** Never loaded again. */
async function comesBack({ open, page }, id) {
  await until(open, page, `/records/hubspot/lead/${id}`, "the lead is known", async () => true);
  await page.evaluate(() => { window.neverLoadedAgain = true; });
  for (const words of ["Breached", "Recycled from"]) {
    await page.locator("table.story").getByText(words).first().waitFor({ timeout: 30_000 });
  }
  check(await page.evaluate(() => window.neverLoadedAgain), open.name, "the story was loaded again");
  await look(open, page);
}

async function dispute({ open, page }, id) {
  await go(page, `/records/hubspot/lead/${id}`);
  await page.getByText("Dispute a breach, rejection or violation").click();
  await page.locator("#dispute-why").fill("I called <b>twice</b>");
  await look(open, page);
  await page.getByRole("button", { name: /^Dispute it/ }).click();
  await page.getByRole("status").first().waitFor();
  await menu(open, page, "Disputes");
  await look(open, page);
  await page.getByRole("row").getByRole("link").first().click();
  await page.getByText("“I called <b>twice</b>”").waitFor();
  await look(open, page);
  await page.getByRole("radio", { name: /^Uphold/ }).check();
  await page.getByLabel("Why").first().fill("The calls are in the telephone's list");
  await page.getByRole("button", { name: "Decide" }).click();
  await page.waitForLoadState("load");
  await page.getByText("upheld").first().waitFor();
  await look(open, page);
}

async function replay({ open, page }) {
  const id = await lead("Refused", "Lead");
  await sandbox("POST", "faults", { on: "hubspot.batch_update", fault: { do: "refuse", ids: [id] } });
  const row = page.getByRole("row").filter({ hasText: "recycle Refused Lead" }).filter({ has: page.locator(".badge.parked") }).first();
  await until(open, page, "/deliveries", "the write is parked", async () => (await row.count()) > 0);
  await look(open, page);
  await sandbox("DELETE", "faults");
  const where = await row.getByRole("rowheader").getByRole("link").first().getAttribute("href");
  await row.getByRole("button", { name: /^Try again/ }).click();
  await page.getByRole("status").first().waitFor();
  await until(open, page, where, "the write is done", async () => (await page.locator(".badge.done").count()) > 0);
  await look(open, page);
  await go(page, `/records/hubspot/lead/${id}`);
  check((await main(page)).includes("Recycled from"), open.name, "what was tried again was not done");
}

await inBrowser(async (browser) => {
  await sign(browser, "dana@acme.example", "Dana Reyes");
  await sign(browser, "lee@acme.example", "Lee Okafor");
  const ada = await person(browser, "ada@acme.example");
  await arm(ada);
  const id = await lead("Jonas", "Berg");
  await comesBack(ada, id);
  const olu = await person(browser, "olu@acme.example");
  await dispute(olu, id);
  await replay(olu);
  note(`${width}: signed, armed, breached, back, disputed, refused, tried again`);
});
