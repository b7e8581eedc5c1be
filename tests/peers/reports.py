"""What a pipeline is told, read as the pipelines read it.

The readers are written from actions/runner (ActionCommand.cs, FileCommandManager.cs) and from GitLab
(parse_dotenv_artifact_service.rb, tfplan.rb, the required members of its code quality schema), not from our writer.
"""

import json
import os
import re
import subprocess
import sys

sys.path.insert(0, os.path.dirname(__file__))
from support import BINARY, CHECKOUT, check, environment, finish, folder, planted, said

COMMANDS = {"error", "warning", "notice", "group", "endgroup", "debug", "add-mask", "stop-commands", "echo"}
DATA = (("%0D", "\r"), ("%0A", "\n"), ("%25", "%"))
PROPERTY = (("%0D", "\r"), ("%0A", "\n"), ("%3A", ":"), ("%2C", ","), ("%25", "%"))
SUMMARY_BYTES_MAX = 1024 * 1024


def unescaped(text, mappings):
    for written, meant in mappings:
        text = text.replace(written, meant)
    return text


def command(line):
    """ActionCommand.TryParseV2: the command of a line, its properties and its data; or None."""
    line = line.lstrip()
    end = line.find("::", 2)
    if not line.startswith("::") or end < 0:
        return None
    name, _, properties = line[2:end].partition(" ")
    if name not in COMMANDS:
        return None
    pairs = [one.split("=", 1) for one in properties.strip().split(",") if "=" in one]
    return name, {key: unescaped(value, PROPERTY) for key, value in pairs}, unescaped(line[end + 2:], DATA)


def old_command(line):
    """ActionCommand.TryParse: `##[name …]` anywhere in a line."""
    found = re.search(r"##\[([^\]]*)\]", line)
    return found and found.group(1).split(" ")[0] in COMMANDS


def pairs(text):
    """EnvFileKeyValuePairs: names and values of an environment file; anything else is an error."""
    found, lines = {}, iter(text.split("\n"))
    for line in lines:
        if not line:
            continue
        equals, heredoc = line.find("="), line.find("<<")
        if equals >= 0 and (heredoc < 0 or equals < heredoc):
            name, value = line.split("=", 1)
        elif heredoc >= 0:
            name, delimiter = line.split("<<", 1)
            value = []
            for inside in lines:
                if inside == delimiter:
                    break
                value.append(inside)
            else:
                raise ValueError(f"the delimiter {delimiter} is missing")
            value = "\n".join(value)
        else:
            raise ValueError(f"invalid format {line!r}")
        found[name] = value
    return found


def dotenv(text):
    """ParseDotenvArtifactService: its limits, and its line format."""
    assert len(text.encode()) < 5 * 1024, "too big"
    found = {}
    for line in text.splitlines():
        match = re.fullmatch(r"(.*?)=(.*)", line)
        assert match, f"invalid format {line!r}"
        found[match.group(1).strip()] = match.group(2).strip()
    assert len(found) <= 20, "too many"
    assert all(re.fullmatch(r"[A-Za-z0-9_]+", name) for name in found), "a name that is none"
    return found


def quality(report):
    """What GitLab's schema wants of each finding, and the severities that it knows."""
    prints = [one["fingerprint"] for one in report]
    assert len(prints) == len(set(prints)), "of two findings with one fingerprint, GitLab shows one"
    for one in report:
        assert isinstance(one["description"], str) and isinstance(one["check_name"], str)
        assert one["severity"] in ("info", "minor", "major", "critical", "blocker")
        assert isinstance(one["location"]["path"], str) and one["location"]["lines"]["begin"] >= 1
        assert not one["location"]["path"].startswith(("/", "./"))
    return report


def bootstrap(home):
    """A program that the checks before an upload take; it is never run here."""
    out = os.path.join(home, "bootstrap")
    source = "int main(void) { return 0; }"
    subprocess.run(["cc", "-static", "-x", "c", "-", "-o", out], input=source.encode(), check=True)


def stack(home, *edits):
    with open(os.path.join(CHECKOUT, "stacks", "local.toml"), encoding="utf-8") as file:
        text = file.read() + '\n[function]\nbootstrap = "../bootstrap"\n'
    for before, after in edits:
        assert before in text, before
        text = text.replace(before, after)
    os.makedirs(os.path.join(home, "stacks"), exist_ok=True)
    with open(os.path.join(home, "stacks", "demo.toml"), "w", encoding="utf-8") as file:
        file.write(text)


def step(home, *arguments, **more):
    """One step of a job: what the runner finds in its log and its files."""
    files = {"GITHUB_STEP_SUMMARY": "summary.md", "GITHUB_OUTPUT": "values.txt"}
    paths = {name: os.path.join(home, file) for name, file in files.items()}
    for path in paths.values():
        open(path, "w", encoding="utf-8").close()
    done = subprocess.run(
        [BINARY, *arguments], cwd=home, stdin=subprocess.DEVNULL, capture_output=True, timeout=300, check=False,
        env=environment(**{"CI": "true", **paths, "GITHUB_WORKSPACE": home, **more}))
    # Decoded by hand: line ends stay what they are.
    done.stdout, done.stderr = done.stdout.decode(), done.stderr.decode()
    said(done.stdout, done.stderr)
    texts = []
    for path in paths.values():
        with open(path, encoding="utf-8") as file:
            texts.append(file.read())
    return done, texts


def read_json(home, name):
    with open(os.path.join(home, name), encoding="utf-8") as file:
        return json.load(file)


def found_in(done):
    lines = (done.stdout + done.stderr).splitlines()
    check("no line is an old command", not any(map(old_command, lines)), lines)
    return [one for one in map(command, lines) if one]


def line_of(home, key):
    with open(os.path.join(home, "stacks", "demo.toml"), encoding="utf-8") as file:
        return next(number for number, line in enumerate(file, 1) if line.split("=")[0].strip() == key)


def github(home):
    stack(home, ('region ', 'regoin '))
    done, (summary, values) = step(home, "validate", "stacks/demo.toml", GITHUB_ACTIONS="true")
    errors = [one for one in found_in(done) if one[0] == "error"]
    check("a mistake is marked at its line", any(
        one[1].get("file") == "stacks/demo.toml" and one[1].get("line") == str(line_of(home, "regoin"))
        for one in errors), done.stderr)
    check("a mistake is an output too", pairs(values).get("verdict") == "usage", values)
    check("the summary says it", "stacks/demo.toml" in summary, summary)

    stack(home)
    # The key is made where it stays: without CI.
    done, (summary, values) = step(home, "deploy", "stacks/demo.toml", GITHUB_ACTIONS="true", CI="")
    names = [one[0] for one in found_in(done)]
    check("a deploy is one group that ends", [one for one in names if "group" in one] == ["group", "endgroup"], names)
    values = pairs(values)
    check("a deploy's outputs", values.get("exit") == "0" and values.get("authorizer_name") == "iot-openam-authorizer"
          and values.get("function_arn", "").endswith(":function:thinggate-local-demo:live"), values)
    result = json.loads(values["result"])
    check("the whole result is an output", len(result["stacks"][0]["steps"]) == 8, result)
    check("the summary fits", 0 < len(summary.encode()) <= SUMMARY_BYTES_MAX)

    stack(home, ('[function]', '[function]\nmemory_mb = 512'))
    done, (summary, values) = step(home, "plan", "stacks/demo.toml", "--exit-code", GITHUB_ACTIONS="true")
    marks = found_in(done)
    check("a difference is marked at its key", ("notice", str(line_of(home, "memory_mb"))) in [
        (one[0], one[1].get("line")) for one in marks], done.stderr)
    check("its title and its message are whole", any(
        one[1].get("title") == "thinggate plan: function thinggate-local-demo" and one[2] == "memory_mb: 256 -> 512"
        for one in marks), marks)
    check("the diff is in the summary", "```diff" in summary and "+ memory_mb: 512" in summary, summary)
    check("differences are an output", pairs(values)["verdict"] == "different", values)


def gitlab(home):
    stack(home, ('[function]', '[function]\nmemory_mb = 512'))
    done, _ = step(home, "plan", "stacks/demo.toml", "--report", "gitlab", GITLAB_CI="true", CI_PROJECT_DIR=home)
    check("a plan for GitLab", done.returncode == 0, done.stderr)
    found = quality(read_json(home, "thinggate-plan.codequality.json"))
    check("a difference is a finding at its line", any(
        one["location"] == {"path": "stacks/demo.toml", "lines": {"begin": line_of(home, "memory_mb")}}
        for one in found), found)
    with open(os.path.join(home, "thinggate-plan.env"), encoding="utf-8") as file:
        values = dotenv(file.read())
    check("values for later jobs", values.get("THINGGATE_RESULT_VERDICT") == "done"
          and values.get("THINGGATE_RESULT_STACK") == "local-demo", values)
    counts = read_json(home, "thinggate-plan.terraform.json")
    check("counts for the widget", set(counts) == {"create", "update", "delete"} and counts["update"] > 0, counts)
    done, _ = step(home, "deploy", "stacks/demo.toml", "--report", "gitlab", GITLAB_CI="true", CI_PROJECT_DIR=home)
    section = re.search(r"\x1b\[0Ksection_start:(\d+):(\w+)\[collapsed=true\]\r\x1b\[0K([^\n]*)\n(.*)"
                        r"\x1b\[0Ksection_end:(\d+):\2\r\x1b\[0K\n", done.stderr, flags=re.S)
    check("a deploy is a section that ends", section and int(section.group(1)) <= int(section.group(5))
          and "function" in section.group(4), repr(done.stderr))


def refused(name, reader, text):
    """The readers refuse what the systems refuse."""
    try:
        reader(text)
    except (ValueError, AssertionError):
        return check(f"refused: {name}", True)
    return check(f"refused: {name}", False, text)


def defects():
    planted("a comma in a property that is not escaped", lambda: check(
        "file", command("::error file=a,b.toml::x")[1]["file"] == "a,b.toml"))
    planted("a message of two lines", lambda: check("data", command("::error::one\ntwo".split("\n")[0])[2] == "one\ntwo"))
    planted("an old command in a value", lambda: check("none", not old_command("description: x ##[error]y")))
    refused("a value without its delimiter", pairs, "a<<END\nb\n")
    refused("a line that is no value", pairs, "## a heading\n")
    refused("an empty line for GitLab", dotenv, "A=b\n\nC=d\n")
    refused("too many values for GitLab", dotenv, "".join(f"A{number}=b\n" for number in range(21)))
    refused("two findings with one fingerprint", quality, [
        {"fingerprint": "a", "description": "", "check_name": "", "severity": "info",
         "location": {"path": "a", "lines": {"begin": 1}}}] * 2)


def main():
    with folder() as home:
        bootstrap(home)
        github(home)
        gitlab(home)
    defects()
    finish()


main()
