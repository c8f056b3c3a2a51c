"""A DAG in Airflow's DAGS_FOLDER that tells its failures. Run: python examples/airflow_dag.py (ends by an exception)"""

from airflow.sdk import dag, task

from wecom_logging import WeComHandler
from wecom_logging.integrations.airflow import WeComNotifier


@dag(default_args={"on_failure_callback": WeComNotifier(WeComHandler(service="airflow"))})
def prices() -> None:
    @task
    def convert(price: str) -> float:
        return float(price)

    convert("n/a")


made = prices()

if __name__ == "__main__":  # as `airflow dags test prices` would, after `airflow db migrate`
    if made.test().state != "success":
        raise SystemExit("the run failed")
