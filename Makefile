# SPDX-License-Identifier: Apache-2.0
# Thin verbs; the build itself is CMake's. Everything lands in build/.
BUILD ?= build
JOBS ?= $(shell nproc 2>/dev/null || echo 1)
CONFIGURE = cmake -S . -B $(BUILD) --log-level=NOTICE
# The tests need more packages than the programs. A folder that was once configured with them keeps them.
WITH_TESTS = $(CONFIGURE) -DMAPAUDIT_TESTS=ON $(CMAKE_FLAGS)
WITHOUT_TESTS = $(CONFIGURE) $(if $(wildcard $(BUILD)/CTestTestfile.cmake),,-DMAPAUDIT_TESTS=OFF) $(CMAKE_FLAGS)

.PHONY: all build deps test test-deps test-sanitizers test-asan test-tsan demo bench bench-deps bench-field bench-go \
	bench-maps bench-maps-deps bench-peers bench-peers-deps bench-scale clean

all: build

deps: ## install what the programs' build lacks (apt), or name it
	@scripts/deps.sh build

test-deps: ## the same for the tests
	@scripts/deps.sh build test

build: deps ## the auditor, the workload driver and the key-value server
	@$(WITHOUT_TESTS)
	@cmake --build $(BUILD) -j$(JOBS) --target mapaudit mapaudit-workload mapaudit-kvd

test: test-deps ## build and run every test
	@scripts/go_samples.sh $(BUILD)/go-samples
	@$(WITH_TESTS)
	@cmake --build $(BUILD) -j$(JOBS)
	@cd $(BUILD) && ctest --output-on-failure -j$(JOBS)

# What races lies in target; memory errors and undefined behaviour are looked for everywhere. A folder each beside build.
test-sanitizers: test-tsan test-asan ## build the unit tests twice more, with ThreadSanitizer and with ASan and UBSan, and run them

test-tsan: test-deps ## the first of these
	@cmake -S . -B $(BUILD)-tsan -DMAPAUDIT_SANITIZE=thread -DMAPAUDIT_AUDITOR=OFF $(CMAKE_FLAGS) --log-level=NOTICE
	@cmake --build $(BUILD)-tsan -j$(JOBS)
	@cd $(BUILD)-tsan && ctest -L unit --output-on-failure -j$(JOBS)

test-asan: test-deps ## the second; WITHOUT="target;kvd" leaves out these folders of tests/unit
	@cmake -S . -B $(BUILD)-asan -DMAPAUDIT_SANITIZE=address,undefined -DMAPAUDIT_UNIT_TESTS_WITHOUT="$(WITHOUT)" \
		$(CMAKE_FLAGS) --log-level=NOTICE
	@cmake --build $(BUILD)-asan -j$(JOBS)
	@cd $(BUILD)-asan && ctest -L unit --output-on-failure -j$(JOBS)

demo: build ## audit a running workload for ten seconds
	@scripts/demo.sh $(BUILD)

bench-deps:
	@scripts/deps.sh build test bench

bench: bench-deps ## what a probe costs, measured here
	@$(WITH_TESTS)
	@cmake --build $(BUILD) -j$(JOBS) --target mapaudit mapaudit-workload bench_binaries
	@$(BUILD)/tests/bench/bench_probes $(BUILD)

bench-peers-deps: test-deps # a peer that cannot be had is left out
	@scripts/deps.sh bench peers || echo "bench-peers: goes on without what is missing" >&2

bench-peers: bench-peers-deps ## the same load under other people's tracers
	@$(WITH_TESTS)
	@cmake --build $(BUILD) -j$(JOBS) --target mapaudit bench_peers_binaries
	@$(BUILD)/tests/bench/peers/bench_peers $(BUILD)

bench-field: test-deps ## what articles claim of the map designs, seen by the auditor
	@$(WITH_TESTS)
	@cmake --build $(BUILD) -j$(JOBS) --target mapaudit mapaudit-workload bench_field
	@$(BUILD)/tests/bench/field/bench_field $(BUILD)

bench-go: test-deps ## what the audit of a Go server costs it
	@scripts/go_samples.sh $(BUILD)/go-samples
	@$(WITH_TESTS)
	@cmake --build $(BUILD) -j$(JOBS) --target mapaudit bench_go
	@$(BUILD)/tests/bench/go/bench_go $(BUILD)

bench-scale: test-deps ## whether that stays so with many maps, threads and operations
	@$(WITH_TESTS)
	@cmake --build $(BUILD) -j$(JOBS) --target mapaudit bench_scale
	@$(BUILD)/tests/bench/scale/bench_scale $(BUILD) $(BENCH_SCALE_FLAGS)

bench-maps-deps: test-deps # a map that cannot be had is left out
	@scripts/deps.sh maps || echo "bench-maps: goes on without what is missing" >&2

bench-maps: bench-maps-deps ## our maps beside other people's
	@$(WITH_TESTS)
	@cmake --build $(BUILD) -j$(JOBS) --target bench_maps
	@$(BUILD)/tests/bench/maps/bench_maps $(BUILD) $(BENCH_MAPS_FLAGS)

clean:
	rm -rf $(BUILD) $(BUILD)-tsan $(BUILD)-asan demo.csv
