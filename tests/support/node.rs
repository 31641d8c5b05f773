//! Runs scripts in node with the packages of a lock file. They are installed once and kept beside the build
//! for as long as the lock file stays the same. Without node, or without a registry, the tests are skipped,
//! but never in CI. What the scripts do stands beside each.

use sha2::{Digest, Sha256};
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;
use tokio::sync::OnceCell;

const INSTALLING: Duration = Duration::from_secs(300);
const PACKAGES: [&str; 2] = ["package.json", "package-lock.json"];

/// Scripts and the packages that they need.
pub struct Kit {
    /// Of the folder that they are run in.
    pub name: &'static str,
    /// Where they stand, with `package.json` and its lock file, from the repository's root.
    pub source: &'static str,
    /// The folder to run them in, or why there is none; asked for once.
    pub folder: OnceCell<Result<PathBuf, String>>,
}

impl Kit {
    /// Runs a script to its end, which has to come within `longest`, and answers what it said. `None`: it was
    /// skipped.
    ///
    /// # Panics
    /// With all that it said when it fails; in CI also when it cannot be run.
    pub async fn run(&self, script: &str, arguments: &[&str], longest: Duration) -> Option<String> {
        let folder = match self.folder.get_or_init(|| self.install_once()).await {
            Ok(folder) => folder,
            Err(why) if std::env::var_os("CI").is_some() => panic!("{script} cannot be run: {why}"),
            Err(why) => {
                eprintln!("skipped, {script} cannot be run: {why}");
                return None;
            }
        };
        static RUNS: AtomicU32 = AtomicU32::new(0);
        let run = RUNS.fetch_add(1, Ordering::Relaxed);
        let log = folder.join(format!("{script}.{}.{run}.log", std::process::id()));
        let mut node = Command::new("node");
        node.arg(script).args(arguments).current_dir(folder);
        let ended = finish(node, &log, longest).await;
        let said = fs::read_to_string(&log).unwrap_or_default();
        // What was said is shown below.
        let _ = fs::remove_file(&log);
        println!("{said}");
        let ended = ended.unwrap_or_else(|why| panic!("{script}: {why}\n{said}"));
        assert!(ended.success(), "{script} does not keep its promises:\n{said}");
        Some(said)
    }

    async fn install_once(&self) -> Result<PathBuf, String> {
        Command::new("node").arg("--version").output().map_err(|why| format!("node: {why}"))?;
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join(self.source);
        let packages = PACKAGES.map(|name| fs::read_to_string(source.join(name)).expect("it stands there"));
        let digest = hex::encode(Sha256::digest(packages.concat()));
        let root = Path::new(env!("CARGO_TARGET_TMPDIR"));
        let folder = root.join(format!("{}-{}", self.name, &digest[..16]));
        if !folder.exists() {
            let fresh = root.join(format!("{}-{}.new", self.name, std::process::id()));
            install(&source, &fresh).await?;
            // Whole or not at all: an installation that was cut off is not taken for one.
            fs::rename(&fresh, &folder).map_err(|e| e.to_string())?;
        }
        let scripts = fs::read_dir(&source).map_err(|e| e.to_string())?.flatten();
        for script in scripts.filter(|file| file.path().extension().is_some_and(|kind| kind == "mjs")) {
            fs::copy(script.path(), folder.join(script.file_name())).map_err(|e| e.to_string())?;
        }
        Ok(folder)
    }
}

async fn install(source: &Path, folder: &Path) -> Result<(), String> {
    let _ = fs::remove_dir_all(folder);
    fs::create_dir_all(folder).map_err(|e| e.to_string())?;
    for name in PACKAGES {
        fs::copy(source.join(name), folder.join(name)).map_err(|e| e.to_string())?;
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
