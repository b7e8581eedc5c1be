//! The `thinggate` command. All of it is in the library.

fn main() -> std::process::ExitCode {
    thinggate::cli::main()
}
