// SPDX-License-Identifier: Apache-2.0
//
// Stock Go programs that scripts/go_samples.sh fetched, put to work.
#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <optional>
#include <string>

#include "go_target.hpp"
#include "support/audited_run.hpp"
#include "support/child.hpp"
#include "support/tcp_client.hpp"

namespace mapaudit::test {

// Its path; empty where it was not fetched.
inline std::string go_sample(const std::string& name) {
    const std::string path = MAPAUDIT_GO_SAMPLES "/" + name;
    return std::filesystem::exists(path) ? path : std::string();
}

inline std::string read_whole(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
}

// esbuild as a server that bundles a tree of modules anew at each request.
class EsbuildServer {
public:
    EsbuildServer(const std::string& program, int modules) : program_(program) {
        for (int i = 0; i < modules; ++i) write_module(i, modules);
        write_main();
        const Finished bundled =
            run({program_, folder_.file("main.js"), "--bundle", "--outfile=" + folder_.file("out/main.js")});
        EXPECT_EQ(bundled.exit_code, 0) << bundled.err;
        expected_ = read_whole(folder_.file("out/main.js"));
        EXPECT_GT(expected_.size(), static_cast<std::size_t>(modules) * 100);
    }
    // Its standard input stays open: it would end with it.
    void start() {
        server_.emplace(std::vector<std::string>{program_, folder_.file("main.js"), "--bundle",
                                                 "--outdir=" + folder_.file("served"), "--serve=127.0.0.1:0"},
                        Child::Input::pipe);
        ASSERT_TRUE(server_->wait_for("/\n")) << server_->err();
        const std::string said = server_->out() + server_->err();
        const std::string host = "127.0.0.1:";
        const std::size_t at = said.find(host);
        ASSERT_NE(at, std::string::npos) << said;
        port_ = static_cast<std::uint16_t>(std::stoi(said.substr(at + host.size())));
    }
    pid_t pid() const { return server_->pid(); }
    // Edits the tree and asks for the bundle until it has the edit (an answer may be as old as 250 ms): byte by byte
    // what was bundled without an auditor.
    void expect_right_answer() {
        const std::string before = mark();
        ++round_;
        write_main();
        const std::size_t at = expected_.find(before);
        ASSERT_NE(at, std::string::npos);
        expected_.replace(at, before.size(), mark());
        std::string answer;
        comes_true("the bundle of the edited tree", [&] { return (answer = request()).find(mark()) != answer.npos; });
        EXPECT_EQ(answer, expected_);
    }
    Finished stop() {
        server_->end_input();
        return server_->finish();
    }

private:
    std::string mark() const { return "\"round " + std::to_string(round_) + '"'; }
    void write_main() const {
        std::ofstream(folder_.file("main.js"))
            << "import {f0} from './m0.js';\nconsole.log(f0(1, 2), " << mark() << ");\n";
    }
    std::string request() const {
        TcpClient client(port_);
        client.send("GET /main.js HTTP/1.0\r\nHost: 127.0.0.1\r\n\r\n");
        const std::string answer = client.receive_all();
        const std::size_t body = answer.find("\r\n\r\n");
        return body == std::string::npos ? std::string() : answer.substr(body + 4);
    }
    void write_module(int i, int modules) {
        std::ofstream module(folder_.file("m" + std::to_string(i) + ".js"));
        std::string sum;
        for (int next : {2 * i + 1, 2 * i + 2}) {
            if (next >= modules) continue;
            const std::string f = "f" + std::to_string(next);
            module << "import {" << f << "} from './m" << next << ".js';\n";
            sum += " + " + f + "(a, b)";
        }
        module << "const local" << i << " = " << i << ";\nexport function f" << i << "(a, b) {\n  let y = b + local"
               << i << ";\n";
        for (int k = 0; k < 20; ++k) module << "  const v" << k << " = y + " << k << "; y += v" << k << " * a;\n";
        module << "  return y" << sum << ";\n}\n";
    }

    std::string program_, expected_;
    ScratchFolder folder_;
    std::optional<Child> server_;
    std::uint16_t port_ = 0;
    int round_ = 10;  // as many digits for all
};

}  // namespace mapaudit::test
