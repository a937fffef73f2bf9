// What a contained task cannot do. Python speaks to the kernel without a shell's fallbacks.
#include <doctest/doctest.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include "swarm/denied_calls.hpp"
#include "tests/swarm/children.hpp"

using namespace vigil;
using namespace vigil::swarm;
using namespace vigil::swarm::testing;

namespace {

// A port of this machine that listens, so that reaching it proves the network is open.
struct Listener {
  Listener() : fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    ::bind(fd, reinterpret_cast<sockaddr*>(&address), size);
    ::listen(fd, 4);
    ::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size);
    port = ntohs(address.sin_port);
  }
  ~Listener() { ::close(fd); }
  int fd;
  int port = 0;
};

struct Contained {
  // "ok", or the name of the error the Python statement ended with.
  std::string tries(Containment containment, const std::string& statement,
                    const std::vector<std::string>& read = {},
                    const std::vector<std::string>& write = {}) {
    auto attempt = real.attempt({"python3", "-c",
                                 "import os, socket, ctypes, signal, sys\n"
                                 "def call(number, *args):\n"
                                 "  libc = ctypes.CDLL(None, use_errno=True)\n"
                                 "  if libc.syscall(number, *args) < 0:\n"
                                 "    raise OSError(ctypes.get_errno(), 'refused')\n"
                                 "def denied(number, *args):\n"
                                 "  libc = ctypes.CDLL(None, use_errno=True)\n"
                                 "  return libc.syscall(number, *args) < 0"
                                 " and ctypes.get_errno() == 1\n"
                                 "try:\n  " +
                                     statement +
                                     "\n  print('ok')\n"
                                     "except OSError as error:\n  print(type(error).__name__)\n"});
    attempt.task.containment = containment;
    attempt.task.read_paths = read;
    attempt.task.write_paths = write;
    const auto outcome = real.run(std::move(attempt));
    CHECK_MESSAGE(outcome.ok, outcome.error);
    return outcome.result.is_string() ? std::string(outcome.result.as_string()) : "?";
  }
  std::string strict(const std::string& statement) { return tries(Containment::strict, statement); }
  std::string net(const std::string& statement) { return tries(Containment::net, statement); }
  std::string none(const std::string& statement) { return tries(Containment::none, statement); }
  Runners real;
};

const std::string refused = "PermissionError";

}  // namespace

TEST_CASE("a strict task reads the system and its own paths, nothing else") {
  Contained task;
  const auto secret = (task.real.scratch.path / "secret").string();
  std::ofstream(secret) << "swordfish";
  const auto read_secret = "open('" + secret + "').read()";
  CHECK(task.none(read_secret) == "ok");
  CHECK(task.strict(read_secret) == refused);
  CHECK(task.net(read_secret) == refused);
  CHECK(task.strict("os.listdir('/root')") == refused);
  CHECK(task.strict("os.listdir('/home')") == refused);
  CHECK(task.strict("open('/etc/shadow').read()") == refused);
  CHECK(task.strict("open('/proc/%d/environ' % os.getppid()).read()") == refused);
  CHECK(task.strict("open('/usr/bin/env','rb').read(1)") == "ok");
  CHECK(task.strict("open('/etc/passwd').read()") == "ok");
  CHECK(task.tries(Containment::strict, read_secret, {secret}) == "ok");
  CHECK(task.tries(Containment::strict, read_secret, {task.real.scratch.str()}) == "ok");
}

TEST_CASE("a strict task writes its own directory and its write paths, nothing else") {
  Contained task;
  const auto outside = (task.real.scratch.path / "outside").string();
  const auto write = "open('" + outside + "','w').write('x')";
  CHECK(task.strict("open('own','w').write('x'); os.mkdir('d'); os.rename('own','d/own')") == "ok");
  CHECK(task.strict(write) == refused);
  CHECK(task.net(write) == refused);
  CHECK_FALSE(fs::exists(outside));
  CHECK(task.tries(Containment::strict, write, {task.real.scratch.str()}) == refused);
  CHECK(task.tries(Containment::strict, write, {}, {task.real.scratch.str()}) == "ok");
  CHECK(fs::exists(outside));
  CHECK(task.strict("os.remove('" + outside + "')") == refused);
  CHECK(task.strict("os.symlink('" + outside + "','l'); open('l').read()") == refused);
  CHECK(task.strict("open('/dev/null','w').write('x')") == "ok");
}

TEST_CASE("a strict task has no sockets, a net task has the internet's") {
  Contained task;
  const Listener listener;
  const auto connect =
      "socket.create_connection(('127.0.0.1', " + std::to_string(listener.port) + "), 5)";
  CHECK(task.strict(connect) == refused);
  CHECK(task.net(connect) == "ok");
  CHECK(task.strict("socket.socket(socket.AF_INET, socket.SOCK_DGRAM)") == refused);
  CHECK(task.strict("socket.socket(socket.AF_UNIX)") == refused);
  CHECK(task.net("socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)") == "ok");
  CHECK(task.net("socket.socket(socket.AF_UNIX)") == refused);
  CHECK(task.net("socket.socket(socket.AF_PACKET, socket.SOCK_RAW)") == refused);
  CHECK(task.net("socket.socket(socket.AF_INET, socket.SOCK_RAW, 1)") == refused);
  CHECK(task.strict("pair = socket.socketpair(); pair[0].send(b'x')") == "ok");
  // The kernel looks at 32 bits of the family; a filter that saw fewer could be talked round.
  CHECK(task.net("call(41, ctypes.c_long(1 | 1 << 32), 1, 0)") == refused);
}

TEST_CASE("of all families of sockets a net task has three") {
  Contained task;
  CHECK(task.net("open_ones = [f for f in range(64) if not denied(41, f, 1, 0)]; "
                 "assert open_ones == [2, 10, 16], open_ones") == "ok");
  CHECK(task.strict("assert all(denied(41, f, 1, 0) for f in range(64))") == "ok");
}

TEST_CASE("each denied call is refused, whatever it is asked") {
  Contained task;
  std::string all;
  for (const int call : denied_calls) {
    if (call >= 0) all += std::to_string(call) + ",";  // negative: not of this machine
  }
  const std::string each = "left = [call for call in [" + all +
                           "] if not denied(call, -1, -1, -1, -1, -1, -1)]; assert not left, left";
  CHECK(task.strict(each) == "ok");
  CHECK(task.net(each) == "ok");
}

TEST_CASE("a contained task cannot reach other processes or the kernel's inside") {
  Contained task;
  for (const char* statement : {
           "call(101, 16, os.getppid(), 0, 0)",               // ptrace attach
           "call(425, 8, ctypes.create_string_buffer(256))",  // io_uring_setup
           "call(321, 0, 0, 0)",                              // bpf
           "call(323, 0)",                                    // userfaultfd
           "call(298, 0, 0, -1, -1, 0)",                      // perf_event_open
           "call(272, 0x10000000)",                           // unshare(CLONE_NEWUSER)
           "call(308, 0, 0)",                                 // setns
           "call(250, 0, 0)",                                 // keyctl
           "call(165, b'none', b'.', b'tmpfs', 0, 0)",        // mount
           "call(161, b'.')",                                 // chroot
           "call(310, os.getppid(), 0, 0, 0, 0, 0)",          // process_vm_readv
           "call(56, 0x10000000, 0, 0, 0, 0)",                // clone(CLONE_NEWUSER)
       }) {
    CAPTURE(statement);
    CHECK(task.strict(statement) == refused);
    CHECK(task.net(statement) == refused);
  }
}

TEST_CASE("a contained task cannot signal the daemon where the kernel can forbid it") {
  const long abi = ::syscall(SYS_landlock_create_ruleset, nullptr, 0, 1);
  if (abi < 6) {
    MESSAGE("skipped: Landlock ABI " << abi << " does not cover signals");
    return;
  }
  Contained task;
  CHECK(task.none("os.kill(os.getppid(), 0)") == "ok");
  CHECK(task.strict("os.kill(os.getppid(), 0)") == refused);
  CHECK(task.net("os.kill(os.getppid(), 0)") == refused);
  CHECK(task.strict("os.kill(os.getpid(), 0)") == "ok");
}

TEST_CASE("a contained task has no capabilities, whoever the daemon is") {
  Contained task;
  const std::string no_capability =
      "assert 'CapEff:\\t0000000000000000' in open('/proc/self/status').read()";
  CHECK(task.strict(no_capability) == "ok");
  CHECK(task.net(no_capability) == "ok");
  CHECK(task.strict("os.setuid(12345)") == (::geteuid() == 12345 ? "ok" : refused));
}

TEST_CASE("a contained task may still start programs and threads of its own") {
  Contained task;
  CHECK(task.strict("import subprocess; subprocess.run(['sh','-c','ls /usr | wc -l; "
                    "timeout 5 true'], check=True, stdout=subprocess.DEVNULL)") == "ok");
  CHECK(task.strict("import threading; t = threading.Thread(target=lambda: None); t.start(); "
                    "t.join()") == "ok");
  CHECK(task.strict("import tempfile; tempfile.TemporaryFile().write(b'x')") == "ok");
}

TEST_CASE("a path that does not exist refuses the task rather than widening it") {
  Contained task;
  auto attempt = task.real.attempt({"true"});
  attempt.task.containment = Containment::strict;
  attempt.task.read_paths = {"/no/such/path"};
  const auto outcome = task.real.run(std::move(attempt));
  CHECK_FALSE(outcome.ok);
  CHECK_FALSE(outcome.retryable);
  CHECK(has(outcome.error, "/no/such/path"));
}

TEST_CASE("vigil-exec refuses what it does not understand") {
  Contained task;
  for (const std::string options :
       {"--profile loose -- true", "--frobnicate 1 -- true", "--memory lots -- true",
        "--profile strict", "--profile strict --parent 1 -- true"}) {
    CAPTURE(options);
    const auto outcome = task.real.run(task.real.shell(launcher + " " + options));
    CHECK(outcome.exit_code == 126);
    CHECK(has(outcome.error, "vigil-exec: "));
  }
}
