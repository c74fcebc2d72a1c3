"""oneclient beside other matchers: quality and cost on labelled files, each matcher in an environment of its own."""
