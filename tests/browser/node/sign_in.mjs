// Signing in and out, by keyboard alone too: the link, the password, wrong ones, other sessions.

import { asked, check, fault, go, inBrowser, look, path, room, signIn, signInByLink } from "./room.mjs";

const { login, password, changed } = asked;

async function byKeyboard(browser) {
  const open = await room(browser, "keyboard");
  const page = await open.context.newPage();
  await go(page, "/login");
  const focused = () => page.evaluate(() => {
    const at = document.activeElement;
    const style = getComputedStyle(at);
    const box = at.getBoundingClientRect();
    return {
      what: at.labels?.[0]?.textContent ?? at.textContent.trim(),
      // As drawn: with a ring, inside of the window.
      shows: style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2 && box.bottom > 0 && box.height > 0,
    };
  });
  const tab = async (expected) => {
    await page.keyboard.press("Tab");
    const at = await focused();
    check(at.what === expected, "keyboard", `Tab led to “${at.what}” and not to “${expected}”`);
    check(at.shows, "keyboard", `it does not show that “${expected}” has the focus`);
  };
  await tab("Skip to the content");
  await page.keyboard.press("Enter");
  check(await page.evaluate(() => document.activeElement.id === "main"), "keyboard", "the skip link skips nothing");
  await tab("E-mail address");
  await page.keyboard.type(login);
  await tab("Password");
  await page.keyboard.type(password);
  await tab("Sign in");
  await page.keyboard.press("Enter");
  await page.waitForURL(asked.base + "/");
  // Every stop shows itself, and none is a trap.
  const stops = [];
  await page.keyboard.press("Tab");
  for (let at = await focused(); stops.length < 60; at = await focused()) {
    if (stops.includes(at.what) && at.what === "Skip to the content") break;
    check(at.shows || at.what === "", "keyboard", `it does not show that “${at.what.slice(0, 60)}” has the focus`);
    stops.push(at.what);
    await page.keyboard.press("Tab");
    if (await page.evaluate(() => document.activeElement === document.body)) break;
  }
  check(stops[0] === "Skip to the content", "keyboard", `the first stop is “${stops[0]}”`);
  check(stops.includes("Sign out"), "keyboard", "signing out cannot be reached");
  await open.context.close();
}

async function wrongPasswords(browser) {
  const open = await room(browser, "wrong password", { width: "phone" });
  open.expects.add(401).add(429);
  const page = await open.context.newPage();
  // Five are free. The waits get longer than looking at a page takes on a busy machine.
  let wrong = 0;
  for (let waits = false; !waits && wrong < 12; ) {
    await signIn(page, "eve@acme.example", `wrong password ${wrong}`);
    const said = await page.getByRole("alert").textContent();
    waits = said.startsWith("Too many wrong passwords");
    check(waits || said === "The e-mail address or the password is wrong.", open.name, `it says “${said}”`);
    if (!waits) wrong += 1;
    if (wrong === 1) await look(open, page);
  }
  check(wrong >= 5 && wrong < 12, open.name, `${wrong} wrong passwords were free`);
  check((await page.getByLabel("E-mail address").inputValue()) === "eve@acme.example", open.name, "the address is lost");
  await look(open, page);
  await open.context.close();
}

/** Ends one session from another, then all of them with a new password. */
async function everywhere(browser) {
  const rooms = [];
  for (const name of ["at the desk", "on the way", "at home"]) {
    const open = await room(browser, name, { width: name === "on the way" ? "phone" : "desktop" });
    const page = await open.context.newPage();
    await signIn(page, login, password);
    await page.waitForURL(asked.base + "/");
    rooms.push({ open, page });
  }
  const [desk, way, home] = rooms;
  const isOut = async ({ page }) => {
    await go(page, "/account");
    return path(page.url()).startsWith("/login");
  };
  await go(desk.page, "/account");
  await look(desk.open, desk.page);
  const others = desk.page.getByRole("button", { name: /^End the session/ });
  const before = await others.count();
  check(before >= 2, "account", `it shows ${before} other sessions`);
  await others.first().click();
  await desk.page.waitForURL(asked.base + "/account");
  check((await others.count()) === before - 1, "account", "no session was ended");
  const out = [await isOut(way), await isOut(home)];
  check(out.filter(Boolean).length === 1, "account", `${out} of the two other sessions are over, and not one`);
  const left = out[0] ? home : way;
  await desk.page.getByLabel("Current password").fill(password);
  await desk.page.getByLabel("New password", { exact: true }).fill(changed);
  await desk.page.getByLabel("New password once more").fill(changed);
  await desk.page.getByRole("button", { name: "Change it" }).click();
  await desk.page.waitForLoadState("load");
  check(await isOut(left), "account", "a new password leaves another session open");
  check(!(await isOut(desk)), "account", "a new password ends the session that it was set in");
  await desk.page.getByRole("button", { name: "Sign out" }).click();
  await desk.page.waitForURL((url) => url.pathname === "/login");
  check(await isOut(desk), "account", "signing out leaves the session open");
  way.open.expects.add(401);
  await signIn(way.page, login, password);
  await way.page.getByRole("alert").waitFor();
  await signIn(way.page, login, changed);
  await way.page.waitForURL(asked.base + "/");
  // On a phone it stands in the menu.
  check(!(await way.page.getByRole("button", { name: "Sign out" }).isVisible()), "phone", "the menu is open from the start");
  await way.page.getByRole("button", { name: "Menu" }).click();
  await look(way.open, way.page);
  await way.page.getByRole("button", { name: "Sign out" }).click();
  await way.page.waitForURL((url) => url.pathname === "/login");
  check(await isOut(way), "phone", "signing out by the menu leaves the session open");
  for (const { open } of rooms) await open.context.close();
}

async function byLink(browser) {
  for (const [width, link] of [["desktop", asked.links[0]], ["phone", asked.links[1]]]) {
    const open = await room(browser, `link, ${width}`, { width });
    const page = await open.context.newPage();
    await go(page, path(link));
    await look(open, page);
    await page.getByLabel("New password").fill("a few words that do well");
    await page.getByLabel("Once more").fill("a few words that do not");
    open.expects.add(400);
    await page.getByRole("button", { name: /^Set the password/ }).click();
    await page.getByText("The two passwords are not the same").waitFor();
    await look(open, page);
    await page.getByLabel("New password").fill("a few words that do well");
    await page.getByLabel("Once more").fill("a few words that do well");
    await page.getByRole("button", { name: /^Set the password/ }).click();
    await page.waitForURL(asked.base + "/");
    open.expects.add(404);
    await go(page, path(link));
    await page.getByText("This link does not work any more").waitFor();
    await look(open, page);
    await open.context.close();
  }
}

async function loginPage(browser) {
  for (const width of ["desktop", "phone"]) {
    for (const scheme of ["light", "dark"]) {
      const open = await room(browser, `${width}, ${scheme}`, { width, scheme });
      const page = await open.context.newPage();
      await go(page, "/records/hubspot/lead/1?x=1");
      check(path(page.url()).startsWith("/login"), "login", "a stranger sees a page");
      await look(open, page);
      await open.context.close();
    }
  }
}

await inBrowser(async (browser) => {
  await Promise.all([
    loginPage(browser).then(() => byLink(browser)),
    byKeyboard(browser).then(() => wrongPasswords(browser)).then(() => everywhere(browser)),
  ]);
});
