// SPDX-License-Identifier: Apache-2.0
#include "peers/interruption.hpp"

#include <csignal>
#include <initializer_list>

namespace mapaudit::bench {
namespace {

volatile std::sig_atomic_t came = 0;

}  // namespace

void note_interruptions() {
    struct sigaction action {};
    action.sa_handler = [](int) { came = 1; };
    for (const int signal : {SIGINT, SIGTERM, SIGHUP}) ::sigaction(signal, &action, nullptr);
}

bool interrupted() noexcept { return came != 0; }

void check_interruption() {
    if (interrupted()) throw Interrupted();
}

}  // namespace mapaudit::bench
