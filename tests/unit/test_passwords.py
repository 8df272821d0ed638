"""What a guessed password costs."""

from argon2 import PasswordHasher


def test_each_guess_costs_64_megabytes_and_three_passes(
    hasher_of_the_product: PasswordHasher,
) -> None:
    assert hasher_of_the_product.memory_cost >= 64 * 1024
    assert hasher_of_the_product.time_cost >= 3
