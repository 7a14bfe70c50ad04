//! Tries what a component without grants must not be able to do, through the
//! standard library as an ordinary program would.

use std::io;
use std::net::{TcpStream, ToSocketAddrs};
use std::{env, fs};

wit_bindgen::generate!({ path: "wit" });

struct Nosy;

export!(Nosy);

impl Guest for Nosy {
    fn look(address: String, host: String) -> Sighting {
        Sighting {
            environment: env::vars().collect(),
            arguments: env::args().collect(),
            root_directory: list("/").map_err(describe),
            password_file: fs::read_to_string("/etc/passwd").map_err(describe),
            written_file: write("/tmp/nosy").map_err(describe),
            connection: connect(&address).map_err(describe),
            addresses: resolve(&host).map_err(describe),
        }
    }
}

fn list(path: &str) -> io::Result<Vec<String>> {
    fs::read_dir(path)?
        .map(|entry| Ok(entry?.path().display().to_string()))
        .collect()
}

fn write(path: &str) -> io::Result<String> {
    fs::write(path, "nosy was here")?;
    Ok(path.to_owned())
}

fn connect(address: &str) -> io::Result<String> {
    Ok(TcpStream::connect(address)?.peer_addr()?.to_string())
}

fn resolve(host: &str) -> io::Result<Vec<String>> {
    Ok((host, 80)
        .to_socket_addrs()?
        .map(|address| address.ip().to_string())
        .collect())
}

fn describe(error: io::Error) -> String {
    error.to_string()
}
