//! Where a large result goes: stdout, or a file that is whole or not there at all.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, ErrorKind, StdoutLock, Write};
use std::path::{Path, PathBuf};

use crate::progress::is_interrupted;

/// Writes a file whole, or not at all.
pub(crate) fn write_file(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut sink = Sink::new(Some(path));
    sink.write_all(bytes)?;
    sink.finish()
}

/// A result on its way. Nothing is touched before the first byte.
#[derive(Debug)]
pub(crate) struct Sink {
    target: Option<PathBuf>,
    writer: Option<BufWriter<Target>>,
}

#[derive(Debug)]
enum Target {
    Stdout(StdoutLock<'static>),
    /// A device or a pipe cannot be replaced: it is written directly.
    Device(File),
    /// Beside the file that it replaces in the end.
    Beside {
        file: File,
        path: PathBuf,
        replaces: PathBuf,
    },
}

impl Sink {
    /// To the file of this name, or to stdout, whose name is `-`.
    pub(crate) fn new(target: Option<&Path>) -> Self {
        let target = target.filter(|path| *path != Path::new("-"));
        Sink { target: target.map(Path::to_owned), writer: None }
    }

    /// Ends the result: from here on, the file holds it.
    pub(crate) fn finish(mut self) -> io::Result<()> {
        self.writer()?.flush()?;
        if let Some(Target::Beside { file, path, replaces }) = self.writer.as_ref().map(BufWriter::get_ref) {
            file.sync_all()?;
            fs::rename(path, replaces)?;
        }
        Ok(())
    }

    fn writer(&mut self) -> io::Result<&mut BufWriter<Target>> {
        match &mut self.writer {
            Some(writer) => Ok(writer),
            slot @ None => Ok(slot.insert(BufWriter::new(Target::open(self.target.as_deref())?))),
        }
    }
}

impl Target {
    fn open(path: Option<&Path>) -> io::Result<Self> {
        let Some(path) = path else { return Ok(Target::Stdout(io::stdout().lock())) };
        // A link is followed: what it leads to is replaced, and not the link.
        let replaces = path.canonicalize().unwrap_or_else(|_| path.to_owned());
        match fs::metadata(&replaces) {
            Ok(existing) if !existing.is_file() => {
                return Ok(Target::Device(OpenOptions::new().write(true).open(&replaces)?));
            }
            Err(_) if replaces.is_symlink() => {
                return Err(io::Error::new(ErrorKind::NotFound, "it is a link to what does not exist"));
            }
            _ => {}
        }
        let mut name = replaces.file_name().unwrap_or_default().to_owned();
        name.push(format!(".{}.part", std::process::id()));
        let path = replaces.with_file_name(name);
        let file = OpenOptions::new().write(true).create_new(true).open(&path)?;
        Ok(Target::Beside { file, path, replaces })
    }
}

impl Drop for Target {
    /// What was not finished leaves nothing behind; after a rename there is nothing left to remove.
    fn drop(&mut self) {
        if let Target::Beside { path, .. } = self {
            let _ = fs::remove_file(path);
        }
    }
}

impl Write for Target {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Target::Stdout(stdout) => stdout.write(bytes),
            Target::Device(file) | Target::Beside { file, .. } => file.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Target::Stdout(stdout) => stdout.flush(),
            Target::Device(file) | Target::Beside { file, .. } => file.flush(),
        }
    }
}

impl Write for Sink {
    /// Fails once Ctrl-C was pressed: nobody waits for the rest.
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if is_interrupted() {
            return Err(io::Error::other("interrupted"));
        }
        self.writer()?.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.writer()?.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_replaced_whole_or_left_as_it_was() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("graph.aut");
        fs::write(&path, "old").unwrap();
        let mut unfinished = Sink::new(Some(&path));
        unfinished.write_all(b"half").unwrap();
        drop(unfinished);
        assert_eq!(fs::read_to_string(&path).unwrap(), "old");
        let mut finished = Sink::new(Some(&path));
        finished.write_all(b"new").unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "old");
        finished.finish().unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "new");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "nothing is left beside it");
    }

    #[cfg(unix)]
    #[test]
    fn a_link_is_followed_and_one_that_leads_nowhere_is_left_as_it_was() {
        let folder = tempfile::tempdir().unwrap();
        let [file, link, lost] = ["file", "link", "lost"].map(|name| folder.path().join(name));
        fs::write(&file, "old").unwrap();
        std::os::unix::fs::symlink(&file, &link).unwrap();
        std::os::unix::fs::symlink(folder.path().join("nowhere"), &lost).unwrap();
        write_file(&link, b"new").unwrap();
        assert!(link.is_symlink());
        assert_eq!(fs::read_to_string(&file).unwrap(), "new");
        assert_eq!(write_file(&lost, b"new").unwrap_err().kind(), ErrorKind::NotFound);
        assert!(lost.is_symlink());
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 3, "nothing is left beside them");
    }
}
