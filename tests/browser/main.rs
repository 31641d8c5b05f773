//! The pages in a real browser, as people use them: the real binary with its demo or against the sandbox's
//! CRMs, Debian's Chromium driven by the scripts of `node/`. Any error that a browser notices breaks a test,
//! whether somebody would have seen it or not. What a page says is tested in `tests/web/`.

mod browser;
mod demo;
#[path = "../support/node.rs"]
mod kit;
mod office;
mod process;
mod screenshots;
mod story;
