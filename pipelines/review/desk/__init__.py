"""The review page: a small web app over what a night published and what people decided. It knows no Airflow."""
