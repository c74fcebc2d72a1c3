"""Pairs found by Spark, for registers that one machine cannot look through; DuckDB weighs them."""
