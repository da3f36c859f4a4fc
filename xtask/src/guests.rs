//! Guest programs: built from source for every machine, pinned by hash, kept compressed in
//! `guests/prebuilt`.
//!
//! A build depends on the sources, `guests/Cargo.lock` and the toolchain, and on nothing else of the
//! machine. Cargo mixes the absolute paths of packages outside a workspace into symbol names, so the
//! build happens in a folder that holds guests and crates side by side under one manifest; every path
//! that the compiler would note is mapped to a fixed one.

use anyhow::{Context, bail, ensure};
use flate2::{Compression, GzBuilder, read::GzDecoder};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::ffi::OsString;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

/// A machine that guests are built for.
struct Target {
    /// Folder of its pinned builds below `guests/prebuilt`.
    name: &'static str,
    /// Stem of the target's description in `guests`; the folder of the outputs has the same name.
    description: &'static str,
    /// Flags of the compiler beside [`FLAGS`].
    flags: &'static [&'static str],
}

const TARGETS: [Target; 3] = [
    Target {
        name: "mips32",
        description: "mips-cannon-none",
        flags: &["-Cllvm-args=-mno-check-zero-division"],
    },
    Target {
        name: "mips64",
        description: "mips64-cannon-none",
        flags: &["-Cllvm-args=-mno-check-zero-division"],
    },
    Target { name: "riscv64", description: "riscv64-asterisc-none", flags: &[] },
];

const LINKER: &str = "ld.lld";
/// Panics carry no file and line: a moved line must not change the hash of a guest.
const FLAGS: [&str; 2] = ["-Clink-arg=-e_start", "-Zlocation-detail=none"];
const HOW_TO_GET_IT: &str = "install one of:
  Debian or Ubuntu: apt-get install rustc-web cargo-web rust-web-src lld
  rustup:           rustup component add rust-src, and lld from the system's packages";

/// Options of `cargo xtask guests`.
#[derive(Clone, Copy, Debug, clap::Args)]
pub struct Arguments {
    /// Compare with the pinned builds instead of writing them.
    #[arg(long)]
    check: bool,
}

/// The manifest beside the pinned builds of a target.
#[derive(Debug, Deserialize, Serialize)]
struct Manifest {
    /// Compiler and linker that made the pinned builds.
    toolchain: String,
    guest: Vec<Guest>,
}

/// One pinned build.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq, Serialize)]
struct Guest {
    name: String,
    /// Of the ELF file, in hexadecimal.
    sha256: String,
    /// Length of the ELF file.
    size_bytes: usize,
    /// Length of the compressed file. Not part of a comparison: it depends on the compressor alone.
    packed_bytes: usize,
}

/// Builds the guests, and writes them or compares them with what is there.
pub fn run(root: &Path, arguments: &Arguments) -> anyhow::Result<()> {
    let toolchain = Toolchain::find()?;
    println!("guests: {} of {}", toolchain.describe()?, toolchain.origin);
    let stage = Stage::prepare(root)?;
    stage.lock(root, &toolchain, arguments.check)?;
    for target in &TARGETS {
        println!("guests for {}", target.name);
        let built = stage.build(&toolchain, target)?;
        let folder = root.join("guests/prebuilt").join(target.name);
        if arguments.check {
            check(&folder, &toolchain, &built)?;
        } else {
            write(&folder, &toolchain, &built)?;
        }
    }
    Ok(())
}

fn write(folder: &Path, toolchain: &Toolchain, built: &[(String, Vec<u8>)]) -> anyhow::Result<()> {
    fs::create_dir_all(folder)?;
    let mut guest = Vec::new();
    for (name, elf) in built {
        // Without name and time in its head the output depends on the input alone.
        let mut encoder = GzBuilder::new().mtime(0).write(Vec::new(), Compression::best());
        encoder.write_all(elf)?;
        let packed = encoder.finish()?;
        fs::write(packed_file(folder, name), &packed)?;
        guest.push(Guest::new(name, elf, packed.len()));
        println!("{name}: {} bytes, {} packed", elf.len(), packed.len());
    }
    let manifest = Manifest { toolchain: toolchain.describe()?, guest };
    let text = format!(
        "# Written by `cargo xtask guests`; hashes are of the unpacked files.\n\n{}",
        toml::to_string(&manifest)?
    );
    fs::write(folder.join("manifest.toml"), text)?;
    Ok(())
}

fn check(folder: &Path, toolchain: &Toolchain, built: &[(String, Vec<u8>)]) -> anyhow::Result<()> {
    let path = folder.join("manifest.toml");
    let text =
        fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
    let manifest: Manifest =
        toml::from_str(&text).with_context(|| format!("{} is malformed", path.display()))?;
    for guest in &manifest.guest {
        let mut elf = Vec::new();
        let packed = fs::read(packed_file(folder, &guest.name))
            .with_context(|| format!("cannot read the pinned build of {}", guest.name))?;
        GzDecoder::new(packed.as_slice()).read_to_end(&mut elf)?;
        ensure!(
            *guest == Guest::new(&guest.name, &elf, packed.len()),
            "the pinned build of {} is not the one the manifest names",
            guest.name
        );
    }
    let here = toolchain.describe()?;
    if here != manifest.toolchain {
        println!(
            "guests: not compared, the toolchain differs\n  here:   {here}\n  pinned: {}",
            manifest.toolchain
        );
        return Ok(());
    }
    let names = |name: &String| manifest.guest.iter().find(|guest| guest.name == *name);
    let mut differing = Vec::new();
    for (name, elf) in built {
        let hash = sha256(elf);
        match names(name) {
            Some(pinned) if pinned.sha256 == hash => println!("{name}: {hash}"),
            Some(pinned) => differing.push(format!("{name} is {hash}, pinned {}", pinned.sha256)),
            None => differing.push(format!("{name} is not pinned")),
        }
    }
    if manifest.guest.len() != built.len() {
        differing.push("the manifest names guests that do not exist".into());
    }
    if !differing.is_empty() {
        bail!(
            "the sources do not build to the pinned guests ({}); run `cargo xtask guests`",
            differing.join("; ")
        );
    }
    println!("guests: equal to the pinned builds");
    Ok(())
}

fn packed_file(folder: &Path, name: &str) -> PathBuf {
    folder.join(format!("{name}.elf.gz"))
}

impl Guest {
    fn new(name: &str, elf: &[u8], packed_bytes: usize) -> Self {
        Self { name: name.into(), sha256: sha256(elf), size_bytes: elf.len(), packed_bytes }
    }
}

fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A compiler that has the sources of its standard library.
#[derive(Debug)]
struct Toolchain {
    origin: &'static str,
    cargo: PathBuf,
    rustc: PathBuf,
    /// Folder with the sources of the standard library.
    library: PathBuf,
}

impl Toolchain {
    fn find() -> anyhow::Result<Self> {
        let candidates = [("the system's packages", "/usr/bin"), ("the search path (rustup)", "")];
        for (origin, folder) in candidates {
            let (cargo, rustc) = (Path::new(folder).join("cargo"), Path::new(folder).join("rustc"));
            let Ok(sysroot) = output(Command::new(&rustc).args(["--print", "sysroot"])) else {
                continue;
            };
            let library = Path::new(&sysroot).join("lib/rustlib/src/rust/library");
            if library.join("core/Cargo.toml").exists()
                && output(Command::new(&cargo).arg("-V")).is_ok()
            {
                let toolchain = Self { origin, cargo, rustc, library };
                toolchain.describe()?;
                return Ok(toolchain);
            }
        }
        bail!("no compiler with the sources of the standard library; {HOW_TO_GET_IT}")
    }

    /// Versions of compiler and linker, which decide about the output.
    fn describe(&self) -> anyhow::Result<String> {
        let rustc = output(Command::new(&self.rustc).arg("--version"))?;
        let lld = output(Command::new(LINKER).arg("--version"))
            .with_context(|| format!("no linker; {HOW_TO_GET_IT}"))?;
        Ok(format!("{rustc}, {lld}"))
    }
}

fn output(command: &mut Command) -> anyhow::Result<String> {
    let output = command.output()?;
    ensure!(output.status.success(), "{} failed", command.get_program().display());
    Ok(String::from_utf8(output.stdout)?.trim().to_owned())
}

/// The folder the build happens in.
#[derive(Debug)]
struct Stage {
    folder: PathBuf,
    output: PathBuf,
    /// Names of the programs.
    programs: Vec<String>,
}

impl Stage {
    /// Lays out `guests` and `crates` below one manifest: that of the workspace, with the guests as
    /// its member and their profile.
    fn prepare(root: &Path) -> anyhow::Result<Self> {
        let target =
            env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), PathBuf::from);
        let folder = std::path::absolute(target)?.join("guests");
        fs::create_dir_all(&folder)?;
        // The crates' tests name their manifests in `tests`; nothing of it is built.
        for name in ["guests", "crates", "tests"] {
            link(&root.join(name), &folder.join(name))?;
        }
        let guests = read_toml(&root.join("guests/Cargo.toml"))?;
        let mut manifest = read_toml(&root.join("Cargo.toml"))?;
        let workspace = manifest
            .get_mut("workspace")
            .and_then(toml::Value::as_table_mut)
            .context("the workspace's manifest has no [workspace]")?;
        workspace.insert("members".into(), vec![toml::Value::from("guests")].into());
        workspace.remove("exclude");
        let profile = guests.get("profile").context("the guests' manifest has no [profile]")?;
        manifest.insert("profile".into(), profile.clone());
        fs::write(folder.join("Cargo.toml"), toml::to_string(&manifest)?)?;
        let programs = guests.get("bin").and_then(toml::Value::as_array).into_iter().flatten();
        let programs =
            programs.filter_map(|bin| Some(bin.get("name")?.as_str()?.to_owned())).collect();
        Ok(Self { output: folder.join("out"), folder, programs })
    }

    /// Pins the guests' dependencies to `guests/Cargo.lock`, which must be complete if `frozen`.
    ///
    /// The stage also resolves what only tests of the crates need. Nothing of that gets into a guest,
    /// and what is pinned stays as it is.
    fn lock(&self, root: &Path, toolchain: &Toolchain, frozen: bool) -> anyhow::Result<()> {
        let folder = root.join("guests");
        let mut command = self.cargo(toolchain);
        command.current_dir(&folder).args(["metadata", "--format-version=1"]);
        command.args(frozen.then_some("--locked")).stdout(std::process::Stdio::null());
        ensure!(command.status()?.success(), "guests/Cargo.lock does not fit the manifests");
        fs::copy(folder.join("Cargo.lock"), self.folder.join("Cargo.lock"))?;
        Ok(())
    }

    /// Builds all programs for a target. Names and ELF files.
    fn build(
        &self,
        toolchain: &Toolchain,
        target: &Target,
    ) -> anyhow::Result<Vec<(String, Vec<u8>)>> {
        let run = |arguments: &[&str], flags: Option<OsString>| {
            let mut command = self.cargo(toolchain);
            command.args(arguments);
            command.envs(flags.map(|flags| ("CARGO_ENCODED_RUSTFLAGS", flags)));
            let status = command.status().context("cannot run cargo")?;
            ensure!(status.success(), "cargo {} failed: {status}", arguments[0]);
            anyhow::Ok(())
        };
        // Before the build, since its flags name the folders that this creates.
        run(&["fetch"], None)?;
        let description = format!("guests/{}.json", target.description);
        let build = [
            "build",
            "--release",
            "--package=rebut-guests",
            "-Zbuild-std=core,alloc",
            "-Zbuild-std-features=compiler-builtins-mem",
            "-Zjson-target-spec",
            "--target",
            &description,
        ];
        run(&build, Some(self.flags(toolchain, target)?))?;
        let folder = self.output.join(target.description).join("release");
        self.programs
            .iter()
            .map(|name| Ok((name.clone(), self.read(&folder.join(name))?)))
            .collect()
    }

    fn cargo(&self, toolchain: &Toolchain) -> Command {
        let mut command = Command::new(&toolchain.cargo);
        command.current_dir(&self.folder);
        // What the surrounding cargo or the user set must not reach the guests.
        for (name, _) in env::vars_os() {
            let text = name.to_string_lossy();
            let foreign =
                ["CARGO_BUILD_", "CARGO_PROFILE_", "CARGO_TARGET_", "CARGO_PKG_", "RUSTC"];
            if text == "RUSTFLAGS"
                || text == "CARGO_ENCODED_RUSTFLAGS"
                || foreign.iter().any(|prefix| text.starts_with(prefix))
            {
                command.env_remove(&name);
            }
        }
        command
            // The standard library from source, and assembly for this architecture, are not stable.
            .env("RUSTC_BOOTSTRAP", "1")
            .env("RUSTC", &toolchain.rustc)
            .env("CARGO_INCREMENTAL", "0")
            .env("CARGO_TARGET_DIR", &self.output);
        command
    }

    /// The compiler's flags, in Cargo's encoding: every folder of this machine gets a fixed name.
    fn flags(&self, toolchain: &Toolchain, target: &Target) -> anyhow::Result<OsString> {
        let mut flags = OsString::from([FLAGS.as_slice(), target.flags].concat().join("\x1f"));
        let mut map = |from: &Path, to: &str| {
            flags.push("\x1f--remap-path-prefix=");
            flags.push(from);
            flags.push("=");
            flags.push(to);
        };
        // The last match counts: inner folders follow outer ones.
        map(&self.folder, "/rebut");
        map(&self.output, "/out");
        map(&toolchain.library, "/rust");
        let registry = cargo_home()?.join("registry/src");
        let mut sources: Vec<PathBuf> = fs::read_dir(&registry)
            .with_context(|| format!("cannot read {}", registry.display()))?
            .map(|entry| Ok(entry?.path()))
            .collect::<anyhow::Result<_>>()?;
        sources.sort();
        for folder in sources {
            map(&folder, "/registry");
        }
        Ok(flags)
    }

    /// An ELF file, refused if it gives away where it was built.
    fn read(&self, path: &Path) -> anyhow::Result<Vec<u8>> {
        let elf = fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
        for folder in [&self.folder, &self.output, &cargo_home()?] {
            let needle = folder.as_os_str().as_encoded_bytes();
            if elf.windows(needle.len()).any(|window| window == needle) {
                bail!("{} contains the path {}", path.display(), folder.display());
            }
        }
        Ok(elf)
    }
}

fn cargo_home() -> anyhow::Result<PathBuf> {
    env::var_os("CARGO_HOME")
        .map(PathBuf::from)
        .or_else(|| env::home_dir().map(|home| home.join(".cargo")))
        .context("no home folder")
}

fn read_toml(path: &Path) -> anyhow::Result<toml::Table> {
    let text =
        fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    text.parse().with_context(|| format!("{} is malformed", path.display()))
}

/// Makes `link` lead to `folder`.
fn link(folder: &Path, link: &Path) -> anyhow::Result<()> {
    if fs::read_link(link).is_ok_and(|old| old == folder) {
        return Ok(());
    }
    if link.symlink_metadata().is_ok() {
        fs::remove_file(link)?;
    }
    std::os::unix::fs::symlink(folder, link)
        .with_context(|| format!("cannot link {} to {}", link.display(), folder.display()))
}
