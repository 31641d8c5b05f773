//! Runs the scripts of `node/` with the packages of its lock file. They are installed once and kept
//! beside the build for as long as the lock file stays the same. Without node, or without a registry,
//! the tests are skipped, but never in CI.

use sha2::{Digest, Sha256};
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;
use tokio::sync::OnceCell;

const PACKAGE: &str = include_str!("node/package.json");
const LOCK: &str = include_str!("node/package-lock.json");
const SCRIPTS: [(&str, &str); 4] = [
    ("told.mjs", include_str!("node/told.mjs")),
    ("hubspot.mjs", include_str!("node/hubspot.mjs")),
    ("signature.mjs", include_str!("node/signature.mjs")),
    ("salesforce.mjs", include_str!("node/salesforce.mjs")),
];
const INSTALLING: Duration = Duration::from_secs(300);
const RUNNING: Duration = Duration::from_secs(120);

/// The folder to run scripts in, or why there is none.
static FOLDER: OnceCell<Result<PathBuf, String>> = OnceCell::const_new();

/// Runs a script to its end.
///
/// # Panics
/// With all that it said when it fails; in CI also when it cannot be run.
pub async fn run(script: &str, arguments: &[&str]) {
    let folder = match FOLDER.get_or_init(folder).await {
        Ok(folder) => folder,
        Err(why) if std::env::var_os("CI").is_some() => panic!("the official clients cannot be run: {why}"),
        Err(why) => return eprintln!("skipped, {script} cannot be run: {why}"),
    };
    let mut node = Command::new("node");
    node.arg(script).args(arguments).current_dir(folder);
    let said = folder.join(format!("{script}.log"));
    let ended = finish(node, &said, RUNNING).await.unwrap_or_else(|why| panic!("{script}: {why}"));
    let said = fs::read_to_string(said).unwrap_or_default();
    println!("{said}");
    assert!(ended.success(), "{script} does not keep its promises:\n{said}");
}

async fn folder() -> Result<PathBuf, String> {
    Command::new("node").arg("--version").output().map_err(|why| format!("node: {why}"))?;
    let digest = hex::encode(Sha256::digest([PACKAGE, LOCK].concat()));
    let root = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let folder = root.join(format!("official-clients-{}", &digest[..16]));
    if !folder.exists() {
        let fresh = root.join(format!("official-clients-{}.new", std::process::id()));
        install(&fresh).await?;
        // Whole or not at all: an installation that was cut off is not taken for one.
        fs::rename(&fresh, &folder).map_err(|e| e.to_string())?;
    }
    for (name, text) in SCRIPTS {
        fs::write(folder.join(name), text).map_err(|e| e.to_string())?;
    }
    Ok(folder)
}

async fn install(folder: &Path) -> Result<(), String> {
    let _ = fs::remove_dir_all(folder);
    fs::create_dir_all(folder).map_err(|e| e.to_string())?;
    for (name, text) in [("package.json", PACKAGE), ("package-lock.json", LOCK)] {
        fs::write(folder.join(name), text).map_err(|e| e.to_string())?;
    }
    let mut npm = Command::new("npm");
    npm.args(["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]).current_dir(folder);
    let said = folder.join("install.log");
    let ended = finish(npm, &said, INSTALLING).await.map_err(|why| format!("npm: {why}"))?;
    match ended.success() {
        true => Ok(()),
        false => Err(format!("npm ci failed: {}", fs::read_to_string(&said).unwrap_or_default())),
    }
}

/// Waits for a command, but not longer than that; what it says goes into a file.
async fn finish(mut command: Command, said: &Path, longest: Duration) -> Result<ExitStatus, String> {
    let file = File::create(said).map_err(|e| e.to_string())?;
    let errors = file.try_clone().map_err(|e| e.to_string())?;
    let command = command.stdin(Stdio::null()).stdout(file).stderr(errors);
    let mut child = command.spawn().map_err(|e| e.to_string())?;
    match tokio::time::timeout(longest, ended(&mut child)).await {
        Ok(ended) => ended.map_err(|e| e.to_string()),
        Err(_) => {
            let _ = child.kill();
            let _ = child.wait();
            Err(format!("not done after {longest:?}"))
        }
    }
}

async fn ended(child: &mut Child) -> std::io::Result<ExitStatus> {
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(status);
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}
